CREATE TABLE "embedding_space" (
	"singleton" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"dimensions" integer NOT NULL,
	"chunker_version" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "embedding_space_singleton_check" CHECK ("embedding_space"."singleton")
);
--> statement-breakpoint
CREATE TABLE "embeddings" (
	"id" text PRIMARY KEY NOT NULL,
	"chunk_id" text NOT NULL,
	"entity_id" text NOT NULL,
	"entity_name" text NOT NULL,
	"vector" vector(384) NOT NULL,
	"content" text NOT NULL,
	"source" text NOT NULL,
	"chunk_index" integer NOT NULL,
	"total_chunks" integer NOT NULL,
	"title" text,
	"location" text,
	"content_hash" text NOT NULL,
	"vector_hash" text NOT NULL,
	"entity_kind" text GENERATED ALWAYS AS (case when position(':' in entity_id) > 0 then lower(split_part(entity_id, ':', 1)) else '' end) STORED,
	"entity_namespace" text GENERATED ALWAYS AS (case when entity_id like '%:%/%' then lower(split_part(split_part(entity_id, ':', 2), '/', 1)) else '' end) STORED,
	"content_tsv" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('english', coalesce(title, '')), 'A') || setweight(to_tsvector('english', entity_name), 'B') || to_tsvector('english', left(content, 32768)) || to_tsvector('english', regexp_replace(regexp_replace(left(content, 32768), '([[:lower:]])([[:upper:]])', '\1 \2', 'g'), '[^[:alnum:]]+', ' ', 'g'))) STORED,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "embeddings_source_check" CHECK ("embeddings"."source" in ('catalog', 'techdocs'))
);
--> statement-breakpoint
CREATE TABLE "index_failures" (
	"entity_id" text NOT NULL,
	"source" text NOT NULL,
	"reason" text NOT NULL,
	"failed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "index_failures_entity_id_source_pk" PRIMARY KEY("entity_id","source")
);
--> statement-breakpoint
CREATE TABLE "index_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"trigger" text NOT NULL,
	"requested_by" text,
	"entity_ref" text,
	"state" text NOT NULL,
	"reason" text,
	"owner" jsonb,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"heartbeat_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"cancel_requested" boolean DEFAULT false NOT NULL,
	"documents_seen" integer DEFAULT 0 NOT NULL,
	"documents_changed" integer DEFAULT 0 NOT NULL,
	"documents_removed" integer DEFAULT 0 NOT NULL,
	"documents_failed" integer DEFAULT 0 NOT NULL,
	"documents_expected" integer,
	"chunks_embedded" integer DEFAULT 0 NOT NULL,
	"chunks_skipped" integer DEFAULT 0 NOT NULL,
	"chunks_removed" integer DEFAULT 0 NOT NULL,
	"tokens" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "index_runs_state_check" CHECK ("index_runs"."state" in ('queued', 'running', 'completed', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "indexed_documents" (
	"entity_id" text NOT NULL,
	"source" text NOT NULL,
	"fingerprint" text NOT NULL,
	"chunk_count" integer NOT NULL,
	"indexed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "indexed_documents_entity_id_source_pk" PRIMARY KEY("entity_id","source"),
	CONSTRAINT "indexed_documents_source_check" CHECK ("indexed_documents"."source" in ('catalog', 'techdocs'))
);
--> statement-breakpoint
CREATE TABLE "keyword_statistics" (
	"lexeme" text PRIMARY KEY NOT NULL,
	"chunk_count" integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX "embeddings_vector_idx" ON "embeddings" USING hnsw ("vector" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "embeddings_entity_id_idx" ON "embeddings" USING btree ("entity_id");--> statement-breakpoint
CREATE INDEX "embeddings_chunk_id_idx" ON "embeddings" USING btree ("chunk_id");--> statement-breakpoint
CREATE INDEX "embeddings_entity_kind_idx" ON "embeddings" USING btree ("entity_kind");--> statement-breakpoint
CREATE INDEX "embeddings_entity_namespace_idx" ON "embeddings" USING btree ("entity_namespace");--> statement-breakpoint
CREATE INDEX "embeddings_content_tsv_idx" ON "embeddings" USING gin ("content_tsv");--> statement-breakpoint
CREATE INDEX "index_runs_started_at_idx" ON "index_runs" USING btree ("started_at");--> statement-breakpoint
CREATE UNIQUE INDEX "index_runs_running_idx" ON "index_runs" USING btree ("state") WHERE "index_runs"."state" = 'running';