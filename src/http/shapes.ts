/** Shapes that several routes share. src/contract/members.ts describes each member to developers who call the API. */
import * as z from 'zod';
import { readCountry } from '../domain/country.ts';
import { orderStatuses, stages } from '../domain/order.ts';
import { payoutForms, payoutKinds } from '../domain/payout.ts';
import { ramps } from '../domain/ramp.ts';

// ---- units: one shape each, so that the description names the unit of every number -----------------------------------------------------------

/** Whole sats. */
export const sats = z.int();
/** Hundredths of the fiat unit. */
export const fiat = z.int();
/** Hundredths of the fiat unit for one bitcoin. */
export const btcPrice = z.int();
export const bps = z.int();
export const ppm = z.int();
export const milliseconds = z.int();
export const seconds = z.int();
export const blocks = z.int();
export const count = z.int();
/** RFC 3339 in UTC. The gateway writes milliseconds; in requests they are optional. */
export const time = z.iso.datetime();
/** A day that PostgreSQL can store, too: PostgreSQL has no year 0, and JavaScript writes the years after 9999 in another form. */
export const calendarDay = z.iso.date().refine((day) => /^[12]/.test(day), 'must be a day between the years 1000 and 2999');
/** A UUID in either case (RFC 9562 requires readers to accept both): Swift, for example, writes capitals. Ours are in lower case. */
export const uuid = z.uuid().toLowerCase();

const least = 'must be an integer of at least 1';
const most = 2_100_000_000_000_000;
export const askedSats = z.int().min(1, least).max(most);
export const askedFiat = z.int().min(1, least).max(most);
/** A price limit that may be 0. */
export const askedOrNoSats = z.int().min(0, 'must be an integer of at least 0').max(most);
export const smallId = z.int().min(0).max(2_147_483_647);
export const askedBlocks = z.int().min(0).max(1_000_000);
export const maxWait = z.int().min(300).max(60_000);

// ---- others --------------------------------------------------------------------------------------------------------------------------------

export const sessionId = z.uuid().toLowerCase();
export const text = (max: number) => z.string().min(1).max(max);
/**
 * An e-mail address as people paste it, with spaces around it. It may be in any script (RFC 6531). Characters that RFC 5322 allows only inside
 * quotes, such as `<` and `;`, are refused: mail providers give out no such addresses.
 */
export const email = z
  .string()
  .max(320)
  .trim()
  .pipe(
    z
      .email({ pattern: z.regexes.unicodeEmail, error: 'must be an e-mail address' })
      .max(254)
      .regex(/^[^\p{C}\p{Z}<>()[\]\\,;:"]*$/u, 'must be an e-mail address'),
  );
/** A phone number in the international form of E.164, as people write it: with spaces, dashes or brackets. */
export const phone = z
  .string()
  .max(40)
  .transform((number) => number.replaceAll(/[\s\p{Pd}\p{Cf}().]/gu, ''))
  .pipe(z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be a phone number with its country code, like +43 664 1234567'));
/** A code as people paste it from a mail or a text message. Spaces, dashes and invisible characters are removed. */
export const pastedCode = z
  .string()
  .max(64)
  .transform((code) => code.replaceAll(/[\s\p{Pd}\p{Cf}]/gu, ''))
  .pipe(text(16));
export const webhookUrl = z.string().max(2048);
export const providerId = z.string();
export const providerRef = z.object({ id: providerId, name: z.string() });
export const ipv4 = z.ipv4();
export const country = z
  .string()
  // Report a malformed code only once.
  .regex(/^[A-Za-z]{2}$/, { error: 'must be an ISO 3166 country code of two letters', abort: true })
  .refine((code) => readCountry(code) !== undefined, 'must be a country code of ISO 3166 (GB, not England)')
  .overwrite((code) => readCountry(code) ?? code);

export const payoutKind = z.enum(payoutKinds);
/** The kinds of destination that the wallet can name with its order. */
export const askedPayoutKinds = z.array(payoutKind).max(16);
export const payoutForm = z.enum(payoutForms);
export const ramp = z.enum(ramps);
export const network = z.enum(['lightning', 'onchain']);
export const product = z.enum(['recharge', 'inbound', 'turbo']);
export const stage = z.enum(stages);
export const orderStatus = z.enum(orderStatuses);
export const orderState = { order_status: orderStatus, stage };
/** The body of each ramp's order-status call. */
export const ordersBody = z.object({
  session_id: sessionId,
  order_id: uuid.optional(),
  limit: z.int().min(1).max(200).optional(),
  changed_since: time.optional(),
});
export const publicKey = z.object({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), use: z.literal('sig'), x: z.string() });
