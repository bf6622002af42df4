CREATE TABLE "receipt_days" (
	"day" date PRIMARY KEY NOT NULL,
	"size" integer NOT NULL,
	"root" text NOT NULL,
	"jws" text NOT NULL,
	"closed_on" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "receipt_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"jwk" jsonb NOT NULL,
	"first_used_on" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "receipts" (
	"subject_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"day" date NOT NULL,
	"number" integer NOT NULL,
	"leaf" text NOT NULL,
	"jws" text NOT NULL,
	"made_on" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "receipts_subject_id_kind_pk" PRIMARY KEY("subject_id","kind")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "receipts_place" ON "receipts" USING btree ("day","number");