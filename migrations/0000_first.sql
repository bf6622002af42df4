CREATE TABLE "claims" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"attempt" integer NOT NULL,
	"fallback" text,
	"fallback_hash" text,
	"lnurl" text,
	"expires_on" timestamp (3) with time zone,
	"created_on" timestamp (3) with time zone NOT NULL,
	"next_try_on" timestamp (3) with time zone NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "currencies" (
	"id" smallint PRIMARY KEY NOT NULL,
	"code" text NOT NULL,
	CONSTRAINT "currencies_code_unique" UNIQUE("code")
);
--> statement-breakpoint
CREATE TABLE "customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"key_hash" text,
	"recovery_hash" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "customers_key_hash_unique" UNIQUE("key_hash"),
	CONSTRAINT "customers_recovery_hash_unique" UNIQUE("recovery_hash")
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"subject_id" uuid NOT NULL,
	"type" text NOT NULL,
	"sequence" integer NOT NULL,
	"body" text NOT NULL,
	"url" text NOT NULL,
	"host" text NOT NULL,
	"app_id" text,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"last_outcome" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	"due_on" timestamp (3) with time zone NOT NULL,
	"done_on" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"caller" text NOT NULL,
	"route" text NOT NULL,
	"key_hash" text NOT NULL,
	"fingerprint" text NOT NULL,
	"answer" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	"lease_until" timestamp (3) with time zone,
	CONSTRAINT "idempotency_keys_caller_route_key_hash_pk" PRIMARY KEY("caller","route","key_hash")
);
--> statement-breakpoint
CREATE TABLE "intents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"quote_id" uuid NOT NULL,
	"order_id" uuid NOT NULL,
	"ramp" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"provider_id" text NOT NULL,
	"provider_session_id" uuid,
	"request_id" text NOT NULL,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"quote" json NOT NULL,
	"inputs" text NOT NULL,
	"idempotency_key" text,
	"known_before" json,
	"created_on" timestamp (3) with time zone NOT NULL,
	"sent_on" timestamp (3) with time zone,
	"dead_on" timestamp (3) with time zone NOT NULL,
	"next_try_on" timestamp (3) with time zone NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"upstream_order_id" text,
	"evidence" json,
	"answer" text
);
--> statement-breakpoint
CREATE TABLE "listings" (
	"provider_id" text NOT NULL,
	"ramp" text NOT NULL,
	"listing" json NOT NULL,
	"read_on" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "listings_provider_id_ramp_pk" PRIMARY KEY("provider_id","ramp")
);
--> statement-breakpoint
CREATE TABLE "notices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"purpose" text NOT NULL,
	"target_id" text NOT NULL,
	"genuine" boolean NOT NULL,
	"count" integer DEFAULT 1 NOT NULL,
	"received_on" timestamp (3) with time zone NOT NULL,
	"handled_on" timestamp (3) with time zone,
	"body" text
);
--> statement-breakpoint
CREATE TABLE "order_events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"from_stage" text,
	"to_stage" text NOT NULL,
	"raw_status" text NOT NULL,
	"source" text NOT NULL,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"intent_id" uuid NOT NULL,
	"quote_id" uuid NOT NULL,
	"ramp" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"provider_id" text NOT NULL,
	"provider_session_id" uuid,
	"upstream_order_id" text,
	"stage" text NOT NULL,
	"stage_on" timestamp (3) with time zone NOT NULL,
	"raw_status" text NOT NULL,
	"sequence" integer DEFAULT 0 NOT NULL,
	"pay" bigint NOT NULL,
	"receive" bigint NOT NULL,
	"fee" bigint NOT NULL,
	"quoted_pay" bigint NOT NULL,
	"quoted_receive" bigint NOT NULL,
	"binding" boolean NOT NULL,
	"expires_on" timestamp (3) with time zone,
	"terms" json NOT NULL,
	"facts" json NOT NULL,
	"upstream" json NOT NULL,
	"payment_info" text NOT NULL,
	"secret" text,
	"reference_hash" text,
	"webhook_url" text,
	"webhook_events" text[],
	"app_id" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	"changed_on" timestamp (3) with time zone NOT NULL,
	"checked_on" timestamp (3) with time zone,
	"checks" integer DEFAULT 0 NOT NULL,
	"next_check_on" timestamp (3) with time zone,
	"follow_until" timestamp (3) with time zone NOT NULL,
	"final" boolean DEFAULT false NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "payment_options" (
	"id" integer PRIMARY KEY NOT NULL,
	"ramp" text NOT NULL,
	"currency_id" smallint NOT NULL,
	"normal_name" text NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "provider_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"provider_id" text NOT NULL,
	"blob" text,
	"ready" boolean DEFAULT false NOT NULL,
	"claimed_on" timestamp (3) with time zone NOT NULL,
	"expires_on" timestamp (3) with time zone,
	"retired_on" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "routes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"session_hash" text NOT NULL,
	"ramp" text NOT NULL,
	"request_id" text NOT NULL,
	"created_on" timestamp (3) with time zone NOT NULL,
	"route" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id_hash" text PRIMARY KEY NOT NULL,
	"customer_id" uuid,
	"app_id" text,
	"created_on" timestamp (3) with time zone NOT NULL,
	"opened_on" timestamp (3) with time zone,
	"last_used_on" timestamp (3) with time zone NOT NULL,
	"expires_on" timestamp (3) with time zone NOT NULL,
	"revoked_on" timestamp (3) with time zone,
	"challenge" text NOT NULL,
	"opened_by" text,
	"opened_reply" text,
	"node_pubkey" text
);
--> statement-breakpoint
ALTER TABLE "claims" ADD CONSTRAINT "claims_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_intent_id_intents_id_fk" FOREIGN KEY ("intent_id") REFERENCES "public"."intents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_options" ADD CONSTRAINT "payment_options_currency_id_currencies_id_fk" FOREIGN KEY ("currency_id") REFERENCES "public"."currencies"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "claims_due" ON "claims" USING btree ("next_try_on") WHERE state = 'sending';--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("due_on") WHERE state = 'due';--> statement-breakpoint
CREATE INDEX "deliveries_subject" ON "deliveries" USING btree ("subject_id","type");--> statement-breakpoint
CREATE INDEX "deliveries_host" ON "deliveries" USING btree ("host","due_on") WHERE state = 'due';--> statement-breakpoint
CREATE INDEX "idempotency_keys_created" ON "idempotency_keys" USING btree ("created_on");--> statement-breakpoint
CREATE UNIQUE INDEX "intents_quote" ON "intents" USING btree ("quote_id") WHERE state <> 'rejected';--> statement-breakpoint
CREATE UNIQUE INDEX "intents_one_unsettled" ON "intents" USING btree ("provider_session_id") WHERE state in ('prepared', 'sending', 'unknown');--> statement-breakpoint
CREATE INDEX "intents_due" ON "intents" USING btree ("next_try_on") WHERE state in ('prepared', 'sending', 'unknown');--> statement-breakpoint
CREATE INDEX "intents_customer" ON "intents" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "intents_upstream" ON "intents" USING btree ("provider_id","upstream_order_id");--> statement-breakpoint
CREATE INDEX "intents_order" ON "intents" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "intents_request" ON "intents" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "notices_target" ON "notices" USING btree ("target_id");--> statement-breakpoint
CREATE INDEX "notices_received" ON "notices" USING btree ("received_on");--> statement-breakpoint
CREATE UNIQUE INDEX "order_events_sequence" ON "order_events" USING btree ("order_id","sequence");--> statement-breakpoint
CREATE INDEX "orders_customer" ON "orders" USING btree ("customer_id","created_on");--> statement-breakpoint
CREATE INDEX "orders_due" ON "orders" USING btree ("next_check_on") WHERE final = false;--> statement-breakpoint
CREATE UNIQUE INDEX "orders_intent" ON "orders" USING btree ("intent_id");--> statement-breakpoint
CREATE INDEX "orders_upstream" ON "orders" USING btree ("provider_id","upstream_order_id");--> statement-breakpoint
CREATE INDEX "orders_reference" ON "orders" USING btree ("reference_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "payment_options_name" ON "payment_options" USING btree ("ramp","currency_id","normal_name");--> statement-breakpoint
CREATE UNIQUE INDEX "provider_sessions_live" ON "provider_sessions" USING btree ("owner","provider_id") WHERE retired_on is null;--> statement-breakpoint
CREATE INDEX "routes_created" ON "routes" USING brin ("created_on");--> statement-breakpoint
CREATE INDEX "sessions_customer" ON "sessions" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "sessions_expiry" ON "sessions" USING btree ("expires_on");