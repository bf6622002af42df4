ALTER TABLE "accounts" ADD COLUMN "user_hash" text;--> statement-breakpoint
CREATE INDEX "accounts_user" ON "accounts" USING btree ("provider_id","user_hash");