import { createCall } from './call.ts';
import { createCatalogue } from './catalogue.ts';
import { badInput, needs } from './error.ts';
import { createInSession } from './in-session.ts';
import { createOrdering } from './ordering.ts';
import { defaultRuntime, type Runtime } from './runtime.ts';
import { createSessionId, type Node } from './session.ts';
import { createState } from './state.ts';
import type { Store } from './store.ts';

export type RampOptions = {
  /** The gateway's address, such as `https://ramp.wallet.example`. */
  url: string;
  /** One store per customer: a backend with many customers gives each a store of their own. */
  store: Store;
  /** The wallet's Lightning node: its signature gives access to the customer's orders. Without a node, only the recovery secret in the store does. */
  node?: Node;
  /** Where the gateway sends webhooks about the orders, accounts and connections made with this client: an https URL on a public host. */
  webhook?: string;
  /** For backends: the secret key of an app that the operator has listed. Never use it in a browser or on a phone. */
  appKey?: string;
  /** How long one request may take, in milliseconds. Default: 30,000. */
  timeoutMs?: number;
  /** Replaces the network, the clock and the timers. */
  runtime?: Partial<Runtime>;
};

/** What `sell` and `liquidity` need of each object that createRamp returned. It is kept apart, so that printing the object does not show it. */
const contexts = new WeakMap<object, Context>();
export const keepContext = <Made extends object>(made: Made, context: Context): Made => {
  contexts.set(made, context);
  return made;
};
export const contextOf = (ramp: object): Context => {
  const context = contexts.get(ramp);
  if (!context) throw badInput('ramp', 'was not made by createRamp');
  return context;
};

export type Context = ReturnType<typeof createContext>;
/** Creates what buying, selling and liquidity share. */
export const createContext = (options: RampOptions) => {
  const { url, store, node, webhook, appKey, timeoutMs = 30_000, runtime: own } = needs<RampOptions>(options, 'url', 'store');
  const [, base, host] = /^(https?:\/\/([a-z0-9.:[\]-]+)(?:\/+[^?#/]+)*)\/*$/i.exec(url) ?? [];
  if (base === undefined || host === undefined) throw badInput('url', `"${url}" is not like https://ramp.example`);
  if (typeof store.get !== 'function' || typeof store.set !== 'function')
    throw badInput('store', 'must have get and set, like new Map() or localStorageStore()');
  const runtime = { ...defaultRuntime, ...own };
  const call = createCall(base, appKey === undefined ? {} : { authorization: `Bearer ${appKey}` }, runtime, timeoutMs);
  const name = host.toLowerCase().replace(/^https/i.test(url) ? /:443$/ : /:80$/, '');
  const state = createState(store, `ramp-gateway:${name}`, runtime.id);
  const sessionId = createSessionId({ call, state, host: name, node });
  const inSession = createInSession(call, sessionId, node !== undefined);
  const catalogue = createCatalogue(inSession);
  const ordering = createOrdering({ runtime, state, inSession });
  return { runtime, state, inSession, catalogue, ordering, webhook: webhook === undefined ? {} : { webhook_url: webhook } };
};
