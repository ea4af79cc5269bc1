-- As the versions before search: by the words of English, identifiers in titles as a whole.
ALTER TABLE "embeddings" DROP COLUMN "content_tsv";
--> statement-breakpoint
ALTER TABLE "embeddings" ADD COLUMN "content_tsv" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('english', coalesce(title, '')), 'A') || setweight(to_tsvector('english', entity_name), 'B') || to_tsvector('english', left(content, 32768)) || to_tsvector('english', regexp_replace(regexp_replace(left(content, 32768), '([[:lower:]])([[:upper:]])', '\1 \2', 'g'), '[^[:alnum:]]+', ' ', 'g'))) STORED;
--> statement-breakpoint
CREATE INDEX "embeddings_content_tsv_idx" ON "embeddings" USING gin ("content_tsv");
