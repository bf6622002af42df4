CREATE TABLE "counted_hours" (
	"hour" timestamp (3) with time zone NOT NULL,
	"source" text NOT NULL,
	"mark" text,
	"counted_on" timestamp (3) with time zone,
	"check_on" timestamp (3) with time zone,
	CONSTRAINT "counted_hours_hour_source_pk" PRIMARY KEY("hour","source")
);
--> statement-breakpoint
CREATE TABLE "hourly_figures" (
	"hour" timestamp (3) with time zone NOT NULL,
	"what" text NOT NULL,
	"provider_id" text NOT NULL,
	"ramp" text NOT NULL,
	"currency" text NOT NULL,
	"option" text NOT NULL,
	"reason" text NOT NULL,
	"n" bigint NOT NULL,
	"bps" bigint NOT NULL,
	"quoted_sats" bigint NOT NULL,
	"delivered_sats" bigint NOT NULL,
	"pay" bigint NOT NULL,
	"receive" bigint NOT NULL,
	CONSTRAINT "hourly_figures_hour_what_provider_id_ramp_currency_option_reason_pk" PRIMARY KEY("hour","what","provider_id","ramp","currency","option","reason")
);
--> statement-breakpoint
CREATE TABLE "instances" (
	"name" text PRIMARY KEY NOT NULL,
	"version" text NOT NULL,
	"started_on" timestamp (3) with time zone NOT NULL,
	"seen_on" timestamp (3) with time zone NOT NULL,
	"clock" timestamp (3) with time zone NOT NULL,
	"circuits" json NOT NULL
);
--> statement-breakpoint
CREATE INDEX "counted_hours_due" ON "counted_hours" USING btree ("check_on") WHERE "counted_hours"."check_on" is not null;--> statement-breakpoint
CREATE INDEX "fills_filled" ON "fills" USING btree ("filled_on");--> statement-breakpoint
CREATE INDEX "intents_created" ON "intents" USING btree ("created_on","id");--> statement-breakpoint
CREATE INDEX "order_events_at" ON "order_events" USING brin ("at");