-- As pgvector's type asks for. Rows stay where they were written.
ALTER TABLE "embeddings" ALTER COLUMN "vector" SET STORAGE EXTERNAL;
