CREATE TABLE "vector_index_calibration" (
	"singleton" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"ef_search" integer NOT NULL,
	"recall" double precision NOT NULL,
	"recall_target" double precision NOT NULL,
	"sample_size" integer NOT NULL,
	"row_count" integer NOT NULL,
	"measured_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "vector_index_calibration_singleton_check" CHECK ("vector_index_calibration"."singleton"),
	CONSTRAINT "vector_index_calibration_ef_search_check" CHECK ("vector_index_calibration"."ef_search" between 1 and 1000)
);
