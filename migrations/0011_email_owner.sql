DROP INDEX "accounts_email";--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "connected_on" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "accounts" SET "connected_on" = "status_on" WHERE "status" in ('connected', 'needs_reconnect');--> statement-breakpoint
-- An account that waits to be connected again is known by what only a connected one can have. Where two rows could own an e-mail, the older one does.
UPDATE "accounts" SET "connected_on" = "status_on" WHERE "id" in (
  SELECT DISTINCT ON (a."provider_id", a."email_hash") a."id" FROM "accounts" a
  WHERE a."connected_on" is null and a."email_hash" is not null
    and (exists (SELECT 1 FROM "connections" c WHERE c."account_id" = a."id") or exists (SELECT 1 FROM "orders" o WHERE o."provider_session_id" = a."id"))
    and not exists (SELECT 1 FROM "accounts" b WHERE b."provider_id" = a."provider_id" and b."email_hash" = a."email_hash" and b."connected_on" is not null)
  ORDER BY a."provider_id", a."email_hash", a."created_on"
);--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_email" ON "accounts" USING btree ("provider_id","email_hash") WHERE removed_on is null and (connected_on is not null or status in ('connected', 'needs_reconnect'));