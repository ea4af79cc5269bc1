CREATE TABLE "asked_questions" (
	"id" text PRIMARY KEY NOT NULL,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"model" text NOT NULL,
	"found" boolean NOT NULL,
	"question" text,
	"question_key" text,
	"rating" text,
	"comment" text,
	CONSTRAINT "asked_questions_rating_check" CHECK ("asked_questions"."rating" in ('helpful', 'unhelpful'))
);
--> statement-breakpoint
CREATE INDEX "asked_questions_asked_at_idx" ON "asked_questions" USING btree ("asked_at");