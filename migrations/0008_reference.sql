CREATE TABLE "reference_prices" (
	"currency" text PRIMARY KEY NOT NULL,
	"readings" json,
	"state" text,
	"price" bigint,
	"read_on" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
