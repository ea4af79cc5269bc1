-- Keeps vectors in the table's own pages. As pgvector's type asks for, they would move to the TOAST
-- table as soon as a row is larger than 2 kB: an exact search then fetches each of them separately, and
-- the planner, who sees a small table, prefers that search to the vector index.
-- It holds for rows that are written from now on.
ALTER TABLE "embeddings" ALTER COLUMN "vector" SET STORAGE MAIN;
