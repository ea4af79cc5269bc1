-- No CASCADE: what others made on these tables is theirs, and PostgreSQL then refuses.
DROP TABLE "embeddings";
--> statement-breakpoint
DROP TABLE "embedding_space";
--> statement-breakpoint
DROP TABLE "index_failures";
--> statement-breakpoint
DROP TABLE "index_runs";
--> statement-breakpoint
DROP TABLE "indexed_documents";
--> statement-breakpoint
DROP TABLE "keyword_statistics";
--> statement-breakpoint
-- What a killed load, or an unfinished change of the embedding model, left beside the table; in this
-- schema only: another one of the search path
-- may hold another store.
DO $$
BEGIN
  EXECUTE format(
    'DROP TABLE IF EXISTS %1$I.embeddings_next, %1$I.embeddings_load, %1$I.embeddings_load_shape, %1$I.embeddings_load_changes, %1$I.indexed_documents_load',
    current_schema()
  );
  EXECUTE format('DROP FUNCTION IF EXISTS %I.embeddings_load_capture()', current_schema());
END
$$;
