/** The simulated DFX and Blocktank in this process, on a history's clock, behind a network that loses what the history wants. */
import { createBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { createDfxSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { ProviderFault } from '../../src/providers/fault.ts';
import type { Http, HttpRequest, HttpResponse } from '../../src/providers/spec.ts';
import type { Random } from '../fuzz/random.ts';
import type { Outcome } from './fake-buyer.ts';
import { dfxOptions, tankOptions } from './real-books.ts';

export const realUrls = { dfx: 'https://dfx.test', tank: 'https://tank.test/api' };
type Id = keyof typeof realUrls;

export type RealNetwork = {
  now: () => number;
  random: Random;
  /** Returns what becomes of the next request that makes an order. */
  outcome: (id: Id) => Outcome;
  /** Whether all faults are over. */
  isCalm: () => boolean;
  /** Runs while a request that makes an order is on its way. */
  meanwhile: (id: Id) => Promise<void>;
  /** Requests and the database take turns, so that a seed repeats its history. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
};

/** How long after a late request its order is made. */
const lateMs = 900;
/** The share of all other requests that are lost, before or after they are carried out. */
const lostShare = 0.1;
/** Matches the paths of requests that make an order. */
const orders = /\/paymentInfos$|\/channels$/;

export const startReal = ({ now, random, outcome, isCalm, meanwhile, inTurn }: RealNetwork) => {
  const randomBytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));
  const dfx = createDfxSimulator({ ...dfxOptions, now, randomBytes }, () => realUrls.dfx);
  const tank = createBlocktankSimulator({ ...tankOptions, now, randomBytes, newId: random.uuid }, () => 'https://tank.test');
  // The other providers of the history sell at this price.
  dfx.control.setPrice('EUR', price);

  const carryOut = async ({ method, url, headers = {}, body }: HttpRequest): Promise<HttpResponse> => {
    const { app } = url.startsWith(realUrls.dfx) ? dfx : tank;
    const response = await app.fetch(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }));
    return { status: response.status, headers: Object.fromEntries(response.headers), body: new Uint8Array(await response.arrayBuffer()) };
  };
  let late: { from: number; request: HttpRequest }[] = [];
  /** Carries out the late requests that have arrived by now. */
  const arrive = async (): Promise<void> => {
    const due = late.filter(({ from }) => from <= now());
    late = late.filter(({ from }) => from > now());
    for (const { request } of due) await carryOut(request);
  };
  const worse = (id: Id, isWorse: boolean): void => {
    if (id === 'dfx') dfx.control.setPrice('EUR', isWorse ? price * 2 : price);
    else if (isWorse) tank.control.setFault({ endpoint: 'POST /channels', fault: 'absurd-price', times: 1 });
  };

  const ordering = async (id: Id, request: HttpRequest): Promise<HttpResponse> => {
    const becomes = outcome(id);
    if (becomes === 'not-sent') throw new ProviderFault('unreachable', 'told to', { taken: 'no' });
    if (becomes === 'refused') return { status: 400, headers: {}, body: new TextEncoder().encode('{"statusCode":400,"message":"told to"}') };
    await meanwhile(id);
    if (becomes === 'never') throw new ProviderFault('timeout', 'told to');
    if (becomes === 'late') {
      late.push({ from: now() + lateMs, request });
      throw new ProviderFault('timeout', 'told to');
    }
    const response = await inTurn(async () => {
      if (becomes === 'worse') worse(id, true);
      const made = await carryOut(request);
      worse(id, false);
      return made;
    });
    if (becomes === 'lost') throw new ProviderFault('timeout', 'told to');
    return becomes === 'garbled' ? { ...response, body: response.body.slice(0, 20) } : response;
  };

  const http: Http = async (request) => {
    const id: Id = request.url.startsWith(realUrls.dfx) ? 'dfx' : 'tank';
    await inTurn(arrive);
    if (request.method !== 'GET' && orders.test(request.url)) return alive(request, await ordering(id, request));
    const isLost = random.chance(lostShare) && !isCalm();
    const isDone = random.chance(0.5);
    if (isLost && !isDone) throw new ProviderFault('unreachable', 'told to', { taken: 'no' });
    const response = await inTurn(async () => await carryOut(request));
    if (isLost) throw new ProviderFault('timeout', 'told to');
    return alive(request, response);
  };
  return { dfx, tank, http, arrive };
};

const price = 9_180_000;

/** A response that comes after the deadline is lost, too. */
const alive = ({ signal }: HttpRequest, response: HttpResponse): HttpResponse => {
  if (signal.aborted) throw new ProviderFault('timeout', 'too late');
  return response;
};
