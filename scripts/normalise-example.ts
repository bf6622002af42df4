/** Prepares a recorded answer for the document: its shape and meaning stay, but values that differ between runs or machines are replaced. */
import { createHash } from 'node:crypto';
import { decodeLnurl, encodeLnurl } from '../src/bitcoin/lnurl.ts';

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const times = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
const loopback = /http:\/\/(?:127\.0\.0\.1|localhost):\d+/g;
const days = /^\d{4}-\d{2}-\d{2}$/;
const shownFrom = Date.parse('2026-11-21T10:15:00.000Z');
/** Fixed values for measurements of the machine that recorded. */
const fixed: { readonly [member: string]: unknown } = { latency_ms: 212, waited_ms: 640 };
/** Replaces the URL of the wallet's webhooks, which contains a port of the recording machine. */
const walletsUrl = 'https://wallet.example/hooks';
const longestText = 400;

/** Normalises an answer. `seed`: the example's name, from which the new ids are made. */
export const normaliseExample = (seed: string, answer: unknown): unknown => {
  const text = JSON.stringify(answer);
  const earliest = Math.min(...[...text.matchAll(times)].map(([time]) => Date.parse(time)));
  const ids = new Map<string, string>();
  const idFor = (id: string): string => {
    const known = ids.get(id) ?? uuidFrom(`${seed} ${ids.size}`);
    ids.set(id, known);
    return known;
  };
  const timeFor = (time: string): string => new Date(shownFrom + Date.parse(time) - earliest).toISOString();
  const textFor = (value: string): string => {
    const link = /^LNURL1[A-Z0-9]+$/.test(value) ? decodeLnurl(value, { loopbackHttp: true }) : undefined;
    if (link !== undefined) return encodeLnurl(textFor(link).replace(/([?&](?:k1|id)=)[^&]+/g, `$1${ids.size}`));
    if (days.test(value)) return '2026-11-21';
    const plain = value
      .replaceAll(uuids, idFor)
      .replaceAll(times, timeFor)
      .replaceAll(loopback, 'https://alpine.example')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'ramp.example');
    // A signed receipt is several kilobytes long. Its beginning is enough to recognise it.
    return plain.length > longestText ? `${plain.slice(0, 80)}…` : plain;
  };
  const of = (name: string, value: unknown): unknown => {
    if (name in fixed && typeof value === 'number') return fixed[name];
    if (name === 'webhook_url' && typeof value === 'string') return walletsUrl;
    if (name === 'instance' && typeof value === 'string') return value.startsWith('req_') ? textFor(value) : 'gw-1';
    if (typeof value === 'string') return textFor(value);
    if (Array.isArray(value)) return value.map((item) => of('', item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [textFor(key), of(key, item)]));
  };
  return of('', answer);
};

const uuidFrom = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
