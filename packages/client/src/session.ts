import { defined } from '../../../src/domain/defined.ts';
import { tokenFlaw } from '../../../src/domain/proof-token.ts';
import type { Call } from './call.ts';
import { given, RampError, readAs } from './error.ts';
import type { State } from './state.ts';

/** The wallet's Lightning node. */
export type Node = {
  /** The compressed public key, hex. */
  pubkey: string;
  /** Signs like `signmessage` of LND and Core Lightning: zbase32 over the double SHA-256 of "Lightning Signed Message:" and the text. */
  sign: (text: string) => string | Promise<string>;
};
export type Sessions = {
  current: () => Promise<string>;
  /** Opens a new session in place of `ended`, unless another call or tab has opened one meanwhile. */
  reopen: (ended: string) => Promise<string>;
};

type Needs = { call: Call; state: State; host: string; node: Node | undefined };

export const createSessions = (needs: Needs): Sessions => {
  const { state } = needs;
  let opening: Promise<string> | undefined;
  /** Opens one session at a time: two calls of one wallet must not make two customers. */
  const open = async (instead: string | undefined): Promise<string> => {
    opening ??= openSession(needs, instead).finally(() => (opening = undefined));
    return await opening;
  };
  return {
    current: async () => (await state.read()).session ?? (await open(undefined)),
    reopen: async (ended) => {
      const { session } = await state.read();
      return session !== undefined && session !== ended ? session : await open(ended);
    },
  };
};

/** Begins a session, signs its tokens, opens it and stores it. Returns its id. */
const openSession = async ({ call, state, host, node }: Needs, instead: string | undefined): Promise<string> => {
  const { recovery } = await state.read();
  const begin = async () => {
    const begun = await call.verify();
    const { session_id, tokens } = readAs('the beginning of a session', () => ({
      session_id: given(begun.session_id, 'session_id'),
      tokens: given(begun.tokens, 'tokens'),
    }));
    const signatures = node && (await signSafe(node, tokens, host));
    const proof = node && signatures ? { node_pubkey: node.pubkey, signatures } : {};
    const body = { session_id, ...proof, ...defined({ recovery_secret: recovery }) };
    return await call.post('/session', body);
  };
  // The gateway's token may have expired while the customer looked for their hardware signer.
  const opened = await begin().catch(async (error: unknown) => {
    if (error instanceof RampError && error.action === 'reopen-session') return await begin();
    throw error;
  });
  const session = readAs('an open session', () => given(opened.session_id, 'session_id'));
  const kept = await state.change((now) => {
    // Another tab stored a session first: keep that one. The session opened here has no orders, and is forgotten.
    if (now.session !== undefined && now.session !== instead) return now;
    return { ...now, session, ...defined({ recovery: opened.recovery_secret }) };
  });
  return kept.session ?? session;
};

/**
 * Signs the tokens that are safe to sign. A signature is valid at every service that accepts the signed text. So the gateway's own token must name
 * this gateway, and a provider's token must not look like a gateway's token or like a text that logs in somewhere. An unsafe token of a provider is
 * not signed, and that provider then refuses.
 */
const signSafe = async (node: Node, tokens: Readonly<Record<string, string>>, host: string): Promise<Record<string, string>> => {
  const own = tokens['gateway'] ?? '';
  if (!isOwn(own, host))
    throw new RampError({
      code: 'unsafe-token',
      action: 'contact-support',
      detail: `The gateway at ${host} wants a signature for another gateway. Nothing was signed.`,
    });
  const signatures: Record<string, string> = {};
  for (const [of, token] of Object.entries(tokens)) if (of === 'gateway' || tokenFlaw(token, host) === undefined) signatures[of] = await node.sign(token);
  return signatures;
};

const loopback = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;
/** Returns whether a token is this gateway's. A sandbox on loopback may be reached by a name or port that differs from the one in its token. */
const isOwn = (token: string, host: string): boolean => {
  const named = /^ramp-gateway:([^\s/]+):[\w-]+$/.exec(token)?.[1] ?? '';
  return named === host || (loopback.test(host) && loopback.test(named));
};
