CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"provider_id" text NOT NULL,
	"email_hash" text,
	"status" text NOT NULL,
	"status_on" timestamp (3) with time zone NOT NULL,
	"signup" text,
	"sequence" integer DEFAULT 0 NOT NULL,
	"webhook_url" text,
	"webhook_events" text[],
	"app_id" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	"checked_on" timestamp (3) with time zone,
	"next_check_on" timestamp (3) with time zone,
	"removed_on" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "connections" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"name_hash" text NOT NULL,
	"status" text NOT NULL,
	"status_on" timestamp (3) with time zone NOT NULL,
	"direction" text NOT NULL,
	"network" text NOT NULL,
	"request" text NOT NULL,
	"state" text,
	"upstream_id" text,
	"sequence" integer DEFAULT 0 NOT NULL,
	"created_on" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daily_uses" (
	"day" text NOT NULL,
	"purpose" text NOT NULL,
	"subject" text NOT NULL,
	"used" bigint NOT NULL,
	CONSTRAINT "daily_uses_day_purpose_subject_pk" PRIMARY KEY("day","purpose","subject")
);
--> statement-breakpoint
CREATE TABLE "last_prices" (
	"provider_id" text NOT NULL,
	"asked" text NOT NULL,
	"offer" json NOT NULL,
	"observed_on" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "last_prices_provider_id_asked_pk" PRIMARY KEY("provider_id","asked")
);
--> statement-breakpoint
CREATE TABLE "settlements" (
	"account_id" uuid NOT NULL,
	"transaction_id" text NOT NULL,
	"seen_on" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "settlements_account_id_transaction_id_pk" PRIMARY KEY("account_id","transaction_id")
);
--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connections" ADD CONSTRAINT "connections_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settlements" ADD CONSTRAINT "settlements_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_customer" ON "accounts" USING btree ("customer_id","provider_id") WHERE removed_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_email" ON "accounts" USING btree ("provider_id","email_hash") WHERE removed_on is null;--> statement-breakpoint
CREATE INDEX "accounts_due" ON "accounts" USING btree ("next_check_on") WHERE removed_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "connections_name" ON "connections" USING btree ("account_id","name_hash") WHERE status not in ('failed', 'expired', 'inactive');--> statement-breakpoint
CREATE UNIQUE INDEX "connections_upstream" ON "connections" USING btree ("account_id","upstream_id");