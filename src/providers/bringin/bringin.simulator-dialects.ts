/** Rewrites Bringin's answers as other servers would write them: the same facts under other names, in envelopes, as numbers. */
import type { Deviation, State } from './bringin.simulator-state.ts';

type Members = { [name: string]: unknown };
const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const everyMember = (value: unknown, change: (name: string, inner: unknown) => [string, unknown]): unknown => {
  if (Array.isArray(value)) return value.map((item) => everyMember(item, change));
  if (!isMembers(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => change(name, everyMember(inner, change))));
};
const snake = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
const asNumber = (value: unknown): unknown => (typeof value === 'string' && /^\d{1,15}(?:\.\d+)?$/.test(value) ? Number(value) : value);

type Change = (body: unknown, endpoint: string) => unknown;
const changes: [Deviation, Change][] = [
  ['flat-links', (body) => (Array.isArray(body) ? body.map(flat) : flat(body))],
  ['older-order', (body, endpoint) => (endpoint === 'POST /offramp/order' && isMembers(body) ? older(body) : body)],
  [
    'date-expiry',
    (body) => everyMember(body, (name, value) => [name, name === 'expiresAt' && typeof value === 'number' ? new Date(value).toISOString() : value]),
  ],
  ['no-expiry', (body, endpoint) => (endpoint === 'POST /offramp/order' && isMembers(body) ? { ...body, expiresAt: undefined, amount: undefined } : body)],
  ['bitcoin-links', (body) => everyMember(body, (name, value) => [name, linkFor(name, value)])],
  [
    'bare-lists',
    (body) => (isMembers(body) && Array.isArray(body['transactions']) ? body['transactions'] : Array.isArray(body) ? { bringinLinks: body } : body),
  ],
  ['small-letters', (body) => everyMember(body, (name, value) => [name, isWord(name) && typeof value === 'string' ? value.toLowerCase() : value])],
  ['numeric-ids', (body) => everyMember(body, (name, value) => [name, /id$/i.test(name) ? asNumber(value) : value])],
  ['numbers', (body) => everyMember(body, (name, value) => [name, asNumber(value)])],
  ['snake-case', (body) => everyMember(body, (name, value) => [snake(name), value])],
  ['enveloped', (body) => ({ success: true, statusCode: 200, message: 'OK', data: body })],
];
const isWord = (name: string): boolean => /^(?:status|subType|subtype|type|sourceCurrency|destinationCurrency|currency|ticker)$/.test(name);
const flat = (link: unknown): unknown => {
  if (!isMembers(link) || !isMembers(link['bringinLink'])) return link;
  const { bringinLink, ...rest } = link;
  return { ...(bringinLink as Members), ...rest };
};
/** Returns an order with the names of `Bringin-offramp` 1.0.0. */
const older = ({ id, amount, invoice, depositAddress, expiresAt }: Members): Members => ({
  orderId: id,
  sourceAmount: amount,
  ...(invoice === undefined ? {} : { lightningInvoice: invoice }),
  ...(depositAddress === undefined ? {} : { bitcoinAddress: depositAddress }),
  expiresAt,
});
const linkFor = (name: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (name === 'invoice') return `LIGHTNING:${value.toUpperCase()}`;
  return name === 'depositAddress' ? `BITCOIN:${value.toUpperCase()}` : value;
};

const doneOnly = new Set(['POST /bringin-link/confirm', 'POST /bringin-link/{id}/cancel/confirm']);

/** Rewrites a good answer in the dialects that are switched on. */
export const spoken = async (state: State, endpoint: string, answer: Response): Promise<Response> => {
  const { deviations = [] } = state.options;
  if (deviations.length === 0 || answer.status >= 300) return answer;
  if (deviations.includes('nothing-but-done') && doneOnly.has(endpoint)) return new Response(null, { status: 204 });
  if (deviations.includes('create-says-nothing') && endpoint === 'POST /bringin-link') return Response.json({ message: 'accepted' }, { status: 202 });
  let body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  if (body === undefined || (isMembers(body) && body['success'] === false)) return answer;
  for (const [name, change] of changes) if (deviations.includes(name)) body = change(body, endpoint);
  return Response.json(body, { status: answer.status });
};
