import * as z from 'zod';
import { Problem } from '../gateway/problem.ts';
import { Sent, type Call } from './call.ts';

/** Describes the header in the OpenAPI document of a route that takes an Idempotency-Key. */
export const idempotencyHeader = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional(),
});

/**
 * Returns the request's Idempotency-Key, if it has one. It may be sent bare or as a quoted structured-field string. Throws if it is not 1 to 255
 * printable ASCII characters.
 */
export const idempotencyKeyOf = (request: Request): string | undefined => {
  const header = request.headers.get('idempotency-key');
  if (header === null) return undefined;
  const key = /^"(?:[^"\\]|\\["\\])*"$/.test(header) ? header.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : header;
  if (key.length === 0 || key.length > 255 || !/^[\x20-\x7e]+$/.test(key))
    throw new Problem('idempotency-key-invalid', 'Send 1 to 255 printable ASCII characters, with or without quotes.');
  return key;
};

/**
 * Refuses a key that this caller has already sent to this route with another body. Called by routes that can repeat an answer from their own state.
 */
export const refuseReusedKey = async (call: Call, caller: string, route: string, key: string | undefined, raw: string): Promise<void> => {
  if (key === undefined) return;
  await begin(call, { caller, route, keyHash: call.gateway.hash(key) }, raw);
};

type Row = { caller: string; route: string; keyHash: string };
/**
 * Begins a call with this key, or finds that one has begun. Throws if that call had another body. The body's fingerprint is made with the newest
 * notice key, so that nobody who reads the database can guess a phone number or an IBAN from it. The stored fingerprint may have been made with an
 * older key, or by an earlier release.
 */
const begin = async ({ gateway }: Call, row: Row, raw: string) => {
  const body = JSON.parse(raw) as Record<string, unknown>;
  const text = bodyText(body, ['session_id', 'sessionId']);
  const again = async (fingerprint: string) => await gateway.stores.idempotency.begin({ ...row, fingerprint, now: gateway.now(), leaseSeconds: 60 });
  const own = gateway.notices.token('idempotency', text);
  const begun = await again(own);
  if (begun.state === 'begun' || begun.fingerprint === own) return begun;
  // Earlier releases left out `session_id` only.
  const texts = Object.hasOwn(body, 'sessionId') ? [text, bodyText(body, ['session_id'])] : [text];
  if (!texts.some((one) => gateway.notices.check('idempotency', one, begun.fingerprint) || begun.fingerprint === gateway.hash(one)))
    throw new Problem('idempotency-key-reused', 'This Idempotency-Key was already sent with another body. Use a new one.');
  return begun.state === 'done' ? begun : await again(begun.fingerprint);
};

/**
 * Writes the body with its top-level members sorted by name, so that their sequence and the spacing do not matter. Leaves out the session, in either
 * spelling that validate.ts accepts: it may change between repeats.
 */
const bodyText = (body: Record<string, unknown>, leftOut: readonly string[]): string =>
  JSON.stringify(
    Object.entries(body)
      .filter(([name]) => !leftOut.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/**
 * Runs a creating call once per Idempotency-Key. While the key is stored (`retention.idempotency_hours`), the same body gets the same bytes, and
 * another body gets 422. A repeat during the first call gets 409. A repeat after more than a minute takes over, in case the first call has stopped. A
 * failed call is forgotten, so that it can be repeated. Without a key the call just runs.
 */
export const onceByKey = async <Body>(call: Call, caller: string, route: string, raw: string, run: () => Promise<Body>): Promise<Sent<Body>> => {
  const { gateway } = call;
  const key = idempotencyKeyOf(call.request);
  if (key === undefined) return new Sent(JSON.stringify(await run()));
  const row = { caller, route, keyHash: gateway.hash(key) };
  const begun = await begin(call, row, raw);
  const place = { table: 'idempotency_keys', row: `${caller} ${route} ${row.keyHash}`, field: 'answer' };
  if (begun.state !== 'begun') {
    if (begun.state === 'done') return new Sent(await gateway.seal.open(begun.answer, place));
    throw new Problem('idempotency-in-progress', 'The first request with this key is still in progress.', { retryAfterMs: 1000 });
  }
  try {
    const body = JSON.stringify(await run());
    await gateway.stores.idempotency.finish({ ...row, answer: await gateway.seal.seal(body, place) });
    return new Sent(body);
  } catch (error) {
    await gateway.stores.idempotency.abandon(row);
    throw error;
  }
};
