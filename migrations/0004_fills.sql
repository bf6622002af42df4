CREATE TABLE "fills" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"ramp" text NOT NULL,
	"currency" text NOT NULL,
	"option" text NOT NULL,
	"binding" boolean NOT NULL,
	"quoted_pay" bigint NOT NULL,
	"quoted_receive" bigint NOT NULL,
	"told_pay" bigint,
	"told_receive" bigint,
	"link_receive" bigint,
	"lead_bps" integer,
	"quoted_on" timestamp (3) with time zone NOT NULL,
	"ordered_on" timestamp (3) with time zone NOT NULL,
	"filled_on" timestamp (3) with time zone NOT NULL,
	"reference_quoted" bigint,
	"reference_filled" bigint,
	"counted_in" text NOT NULL,
	"counted_quoted" bigint NOT NULL,
	"counted_delivered" bigint NOT NULL,
	"counted_on" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "record_broken" (
	"provider_id" text NOT NULL,
	"ramp" text NOT NULL,
	"day" integer NOT NULL,
	"quoted_sats" bigint NOT NULL,
	"delivered_sats" bigint NOT NULL,
	"fast_quoted_sats" bigint NOT NULL,
	"fast_delivered_sats" bigint NOT NULL,
	"reset_on" timestamp (3) with time zone,
	CONSTRAINT "record_broken_provider_id_ramp_pk" PRIMARY KEY("provider_id","ramp")
);
--> statement-breakpoint
CREATE TABLE "record_estimates" (
	"provider_id" text NOT NULL,
	"ramp" text NOT NULL,
	"currency" text NOT NULL,
	"option" text NOT NULL,
	"day" integer NOT NULL,
	"quoted_sats" bigint NOT NULL,
	"delivered_sats" bigint NOT NULL,
	"fast_quoted_sats" bigint NOT NULL,
	"fast_delivered_sats" bigint NOT NULL,
	"reset_on" timestamp (3) with time zone,
	"orders" integer NOT NULL,
	"all_quoted_sats" bigint NOT NULL,
	"all_delivered_sats" bigint NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "record_estimates_provider_id_ramp_currency_option_pk" PRIMARY KEY("provider_id","ramp","currency","option")
);
--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "declined" jsonb;--> statement-breakpoint
ALTER TABLE "intents" ADD COLUMN "moved_to" uuid;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "min_receive" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "max_pay" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_pay" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_receive" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_fee" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_on" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "link_receive" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "link_read_on" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "disputed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "short_released_on" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "recorded_on" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "upstream_key" text;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "reads" smallint;--> statement-breakpoint
CREATE INDEX "fills_provider" ON "fills" USING btree ("provider_id","filled_on");--> statement-breakpoint
CREATE UNIQUE INDEX "orders_upstream_key" ON "orders" USING btree ("provider_id","upstream_key") WHERE upstream_key is not null;--> statement-breakpoint
CREATE INDEX "orders_unrecorded" ON "orders" USING btree ("changed_on") WHERE recorded_on is null and stage in ('paid', 'review', 'filled', 'finished', 'refunded');