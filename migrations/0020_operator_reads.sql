CREATE TABLE "partial_figures" (
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
	CONSTRAINT "partial_figures_pk" PRIMARY KEY("hour","what","provider_id","ramp","currency","option","reason")
);--> statement-breakpoint
ALTER TABLE "counted_hours" ADD COLUMN "part_mark" text;--> statement-breakpoint
ALTER TABLE "counted_hours" ADD COLUMN "part_to" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "counted_hours" ADD COLUMN "part_ms" integer;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "intents_unconfirmed" ON "intents" USING btree ("provider_id","upstream_order_id") WHERE state <> 'confirmed' and upstream_order_id is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "intents_amounts" ON "intents" USING gin ((array[quote #>> '{route,offers,0,offer,pay}', quote #>> '{route,offers,0,offer,receive}'])) WITH (fastupdate=false) WHERE state not in ('prepared', 'sending', 'unknown', 'confirmed');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "order_events_on" ON "order_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "orders_amounts" ON "orders" USING gin ((array[pay, receive, quoted_pay, quoted_receive])) WITH (fastupdate=false);--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "orders_unkeyed" ON "orders" USING btree ("provider_id","upstream_order_id") WHERE upstream_key is null and upstream_order_id is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "routes_created_on" ON "routes" USING btree ("created_on");--> statement-breakpoint
DROP INDEX IF EXISTS "order_events_at";--> statement-breakpoint
DROP INDEX IF EXISTS "routes_created";
