ALTER TABLE "connections" ADD COLUMN "lease_owner" text;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "lease_until" timestamp (3) with time zone;