/** Reads one public price feed with one GET request. Takes the figures from the configured JSON pointers. */
import * as z from 'zod';
import { decimalTimesFloor, isSafe, parseDecimal, type Decimal } from '../domain/money.ts';
import type { FeedAnswer } from '../domain/reference.ts';
import type { Feed, FeedReader } from '../ports/reference.ts';
import { ProviderFault } from '../providers/fault.ts';
import { readTime } from '../providers/kit/read-time.ts';
import { requestJson } from '../providers/kit/request-json.ts';
import type { Http } from '../providers/spec.ts';

const feedBytes = 64 * 1024;

export const createFeedReader =
  (http: Http): FeedReader =>
  async (feed, signal) => {
    try {
      const reply = await requestJson({ http, method: 'GET', url: feed.url, signal, maxBytes: feedBytes, schema: z.unknown() });
      return reply.ok ? readTicker(feed, reply.value) : { fault: 'away' };
    } catch (error) {
      if (!(error instanceof ProviderFault)) throw error;
      return { fault: error.kind === 'malformed' ? 'malformed' : 'away' };
    }
  };

/**
 * Returns the middle of bid and ask, or the single price, in hundredths, rounded down once. A number is read as it was written, in quotes or without.
 */
export const readTicker = ({ bid, ask, price, time }: Feed, answer: unknown): FeedAnswer => {
  const figures = price === undefined ? [at(answer, bid ?? ''), at(answer, ask ?? '')] : [at(answer, price)];
  const written = figures.map((figure) => (typeof figure === 'number' ? String(figure) : typeof figure === 'string' ? figure.trim() : ''));
  const [low, high = low] = written.map(parseDecimal);
  const stamp = time === undefined ? undefined : readTime(at(answer, time));
  if (!low || !high || low.digits <= 0n || high.digits <= 0n || (time !== undefined && stamp === undefined)) return { fault: 'malformed' };
  const [bids, asks] = inOneScale(low, high);
  if (bids.digits > asks.digits) return { fault: 'crossed' };
  const middle = decimalTimesFloor({ digits: bids.digits + asks.digits, scale: bids.scale }, 50n);
  if (middle <= 0n || !isSafe(middle)) return { fault: 'malformed' };
  return { price: middle, text: written.join(' '), ...(stamp === undefined ? {} : { stamp }) };
};

const inOneScale = (a: Decimal, b: Decimal): [Decimal, Decimal] => {
  const scale = Math.max(a.scale, b.scale);
  const scaled = (one: Decimal): Decimal => ({ digits: one.digits * 10n ** BigInt(scale - one.scale), scale });
  return [scaled(a), scaled(b)];
};

/** Returns the value at a JSON pointer (RFC 6901), or undefined. */
const at = (document: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, part) => (typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined),
      document,
    );
