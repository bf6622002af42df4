/** The calls to Blocktank. Each returns what the seller says, or throws a ProviderFault if the answer is of no use. */
import * as z from 'zod';
import { ProviderFault } from '../fault.ts';
import { listingBytes, mayBeDone, requestJson, type JsonReply } from '../kit/request-json.ts';
import type { AdapterDeps, CallContext } from '../spec.ts';
import { isGeoBlocked, isPage } from './blocktank-errors.ts';
import type { Openings } from './blocktank-openings.ts';
import type { Settings } from './blocktank-settings.ts';
import { estimateWire, findOrder, infoWire, type EstimateWire, type FoundOrder, type InfoWire } from './blocktank-wire.ts';

export const logFields = ['problem', 'status'] as const;
export type Blocktank = { deps: AdapterDeps<(typeof logFields)[number]>; settings: Settings; openings: Openings };

const call = async <S extends z.ZodType>(
  { deps, settings }: Pick<Blocktank, 'deps' | 'settings'>,
  context: CallContext,
  path: string,
  asked: { schema: S; body?: object; maxBytes?: number },
): Promise<JsonReply<z.output<S>>> => {
  const { body } = asked;
  return await requestJson({
    http: deps.http,
    method: body === undefined ? 'GET' : 'POST',
    url: `${settings.base_url.replace(/\/$/, '')}${path}`,
    signal: context.signal,
    plainText: true,
    ...asked,
    ...(context.traceparent === undefined ? {} : { headers: { traceparent: context.traceparent } }),
  });
};

/** Returns whether the seller blocks the country of the gateway's own address. If the seller does not answer, nothing counts as blocked. */
export const isBlockedHere = async (blocktank: Blocktank, context: CallContext): Promise<boolean> => {
  const path = blocktank.settings.geocheck_path;
  if (path === null) return false;
  try {
    const reply = await call(blocktank, context, path, { schema: z.unknown() });
    return isGeoBlocked(reply.ok ? reply.value : reply.body);
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    return false;
  }
};

export const readInfo = async (blocktank: Blocktank, context: CallContext): Promise<JsonReply<InfoWire>> =>
  await call(blocktank, context, '/info', { schema: infoWire, maxBytes: listingBytes });

/** Asks for an estimate, which changes nothing. Falls back to estimate-fee on a server that does not have estimate-fee-full. */
export const estimateFee = async (blocktank: Blocktank, context: CallContext, body: object): Promise<JsonReply<EstimateWire>> => {
  const full = await call(blocktank, context, '/channels/estimate-fee-full', { schema: estimateWire, body });
  if (full.ok || full.status !== 404) return full;
  return await call(blocktank, context, '/channels/estimate-fee', { schema: estimateWire, body });
};

/** Makes one order. `ok: false` means for certain that there is none. */
export const createOrder = async (blocktank: Blocktank, context: CallContext, body: object): Promise<JsonReply<FoundOrder>> => {
  const reply = await call(blocktank, context, '/channels', { schema: z.unknown(), body });
  if (reply.ok) {
    const found = findOrder(reply.value);
    if (!found) throw new ProviderFault('malformed', 'the order has no id', { status: reply.status });
    return { ...reply, value: found };
  }
  if (mayBeDone(reply.status)) throw new ProviderFault('server', `status ${reply.status} in response to a new order`, { status: reply.status });
  if (isPage(reply.body)) throw new ProviderFault('malformed', 'the answer is a web page', { status: reply.status, taken: 'no' });
  return reply;
};

/** Reads one order. Returns undefined if the seller does not know it. */
export const getOrder = async (blocktank: Blocktank, context: CallContext, id: string): Promise<FoundOrder | undefined> => {
  const reply = await call(blocktank, context, `/channels/${encodeURIComponent(id)}`, { schema: z.unknown() });
  if (reply.ok) {
    const found = findOrder(reply.value);
    if (!found) throw new ProviderFault('malformed', 'the answer contains no order', { status: reply.status });
    return found;
  }
  if (isPage(reply.body)) throw new ProviderFault('malformed', 'the answer is a web page, not an order', { status: reply.status });
  if (reply.status === 404) return undefined;
  throw new ProviderFault('server', `status ${reply.status} when reading an order`, { status: reply.status });
};

/** Asks the seller to open the channel of a paid order. The seller opens at most one, however often it is asked. */
export const openChannel = async (
  blocktank: Blocktank,
  context: CallContext,
  id: string,
  body: { connectionStringOrPubkey: string; announceChannel: boolean },
): Promise<JsonReply<FoundOrder | undefined>> => {
  const reply = await call(blocktank, context, `/channels/${encodeURIComponent(id)}/open`, { schema: z.unknown(), body });
  return reply.ok ? { ...reply, value: findOrder(reply.value) } : reply;
};
