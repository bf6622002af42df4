import { tokenFlaw } from '../../../src/domain/proof-token.ts';
import type { Call } from './call.ts';
import { given, isAbout, RampError, readAs } from './error.ts';
import type { State } from './state.ts';

/** The wallet's Lightning node. */
export type Node = {
  /** The compressed public key, hex. */
  pubkey: string;
  /** Signs like `signmessage` of LND and Core Lightning: zbase32 over the double SHA-256 of "Lightning Signed Message:" and the text. */
  sign: (text: string) => string | Promise<string>;
};
/** Returns the id of the customer's session. Opens a new one in place of `ended`, unless another call or tab has opened one meanwhile. */
export type SessionId = (ended?: string) => Promise<string>;

type Needs = { call: Call; state: State; host: string; node: Node | undefined };

export const createSessionId = (needs: Needs): SessionId => {
  let opening: Promise<string> | undefined;
  return async (ended) => {
    const { session } = await needs.state.read();
    if (session !== undefined && session !== ended) return session;
    // Opens one session at a time: two calls of one wallet must not make two customers.
    opening ??= openSession(needs, ended).finally(() => (opening = undefined));
    return await opening;
  };
};

/** Begins a session, signs its tokens, opens it and stores it. Returns its id. */
const openSession = async ({ call, state, host, node }: Needs, instead: string | undefined): Promise<string> => {
  let { recovery: recovery_secret } = await state.read();
  const begin = async () => {
    const begun = await call.verify();
    const [session_id, tokens] = readAs('the beginning of a session', () => [given(begun.session_id, 'session_id'), given(begun.tokens, 'tokens')] as const);
    const proof = node && { node_pubkey: node.pubkey, signatures: await signSafe(node, tokens, host) };
    return await call.post('/session', { session_id, ...proof, recovery_secret });
  };
  const opened = await begin().catch(async (error: unknown) => {
    // The gateway has lost the secret, but the node's key opens a session without it.
    if (node && isAbout(error, '/recovery_secret')) recovery_secret = undefined;
    // The gateway's token may have expired while the customer looked for their hardware signer.
    else if (!(error instanceof RampError && error.action === 'reopen-session')) throw error;
    return await begin();
  });
  const session = readAs('an open session', () => given(opened.session_id, 'session_id'));
  const kept = await state.change((now) => {
    // Another tab stored a session first: keep that one. The session opened here has no orders, and is forgotten.
    if (now.session !== undefined && now.session !== instead) return now;
    const { recovery_secret: recovery } = opened;
    return { ...now, session, ...(recovery !== undefined && { recovery, ...(now.recovery !== undefined && { lost: [...(now.lost ?? []), now.recovery] }) }) };
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
