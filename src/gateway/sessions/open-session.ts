import { isNodePubkey, recoverNodeKey, verifyNodeSignature, zbase32Decode } from '../../bitcoin/node-signature.ts';
import { isStorageDown } from '../../ports/storage-down.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { callProvider } from '../upstream/call-provider.ts';
import type { Challenge } from './begin-session.ts';
import { flawedTokens } from '../../domain/proof-token.ts';
import { blobPlace, challengePlace, nodeKeyPlace, replyPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Session } from '../../ports/sessions.ts';
import { openAhead } from './open-ahead.ts';
import { sessionInvalid } from './read-session.ts';
import { openBegun } from '../upstream/upstream-session.ts';
import type { Scope } from '../../ports/scope.ts';
import { defined } from '../../domain/defined.ts';
import { isRecent } from '../../domain/is-recent.ts';

export type OpenSessionRequest = {
  session_id: string;
  signature?: string | undefined;
  signatures?: Record<string, string> | undefined;
  node_pubkey?: string | undefined;
  app_id?: string | undefined;
  recovery_secret?: string | undefined;
};
/** `unusable`, which is never shown: providers that accepted the proof but returned a session that cannot be used. */
export type StoredReply = OpenSessionReply & { unusable?: string[] };
export type OpenSessionReply = { session_id: string; app_id?: string; expires_on: string; recovery_secret?: string; proven: string[] };

/**
 * Handles POST /session: checks the proofs, finds or creates the customer, and opens the upstream sessions at providers that demand a proof. The same
 * body gets the same reply, but the recovery secret only for ten minutes. A different key or signature is refused once the session is open. Until
 * then, the session id can be used for nothing else.
 */
export const openSession = async (scope: Scope, request: OpenSessionRequest): Promise<OpenSessionReply> => {
  const { gateway } = scope;
  const idHash = gateway.hash(request.session_id);
  const session = await gateway.stores.sessions.find(idHash);
  if (!session || session.revokedOn !== undefined || session.expiresOn <= gateway.now()) throw sessionInvalid();
  const fingerprint = gateway.hash(
    JSON.stringify([
      request.signature,
      Object.entries(request.signatures ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
      request.node_pubkey,
      request.app_id,
      request.recovery_secret,
    ]),
  );
  if (session.openedBy !== undefined) return await replay(gateway, session, fingerprint);

  const challenge = withoutFlawed(gateway, JSON.parse(await gateway.seal.open(session.challenge, challengePlace(idHash))) as Challenge);
  const proven = checkProofs(gateway, request, challenge);
  const nodePubkey = request.node_pubkey?.toLowerCase();
  const provenToUs = proven.has('gateway') ? nodePubkey : undefined;
  const customer = await customerOf(gateway, request.recovery_secret, provenToUs);
  const unusable = nodePubkey === undefined ? [] : await openProven(scope, session, proven, nodePubkey);

  const now = gateway.now();
  const expiresOn = now + gateway.settings.sessions.ttl_s * 1000;
  const reply: OpenSessionReply = {
    session_id: request.session_id,
    expires_on: new Date(expiresOn).toISOString(),
    proven: [...proven.keys()].filter((id) => !unusable.includes(id)),
    ...defined({ app_id: request.app_id, recovery_secret: customer.recoverySecret }),
  };
  const won = await gateway.stores.sessions.open({
    idHash,
    customerId: customer.id,
    openedBy: fingerprint,
    openedReply: await gateway.seal.seal(
      JSON.stringify({ ...reply, ...(unusable.length === 0 ? {} : { unusable }) } satisfies StoredReply),
      replyPlace(idHash),
    ),
    now,
    expiresOn,
    ...(request.app_id === undefined ? {} : { appId: request.app_id }),
    ...(provenToUs === undefined ? {} : { nodePubkey: await gateway.seal.seal(provenToUs, nodeKeyPlace(idHash)) }),
  });
  if (won) {
    gateway.background(openAhead(scope, idHash));
    return reply;
  }
  const opened = await gateway.stores.sessions.find(idHash);
  if (!opened) throw sessionInvalid();
  return await replay(gateway, opened, fingerprint);
};

/** How long POST /session returns its whole answer again, recovery secret included, in case the first answer was lost. */
const secretReplayMs = 10 * 60_000;

const replay = async (gateway: Gateway, session: Session, fingerprint: string): Promise<OpenSessionReply> => {
  if (session.openedBy !== fingerprint || session.openedReply === undefined)
    throw new Problem('session-settled', 'This session is already open with another key, signature or secret. Start a new one with GET /verify.');
  const stored = JSON.parse(await gateway.seal.open(session.openedReply, replyPlace(session.idHash))) as StoredReply;
  const { recovery_secret: secret, unusable: _, ...reply } = stored;
  // After `secretReplayMs`, someone who finds the id of a session in use gets no secret that outlives the session.
  const isFresh = isRecent(session.openedOn ?? 0, gateway.now(), secretReplayMs);
  return { ...reply, ...(isFresh && secret !== undefined ? { recovery_secret: secret } : {}) };
};

/** Drops flawed tokens, which an instance of the previous release may have handed out. A signature over such a token is not passed on. */
const withoutFlawed = ({ settings }: Gateway, challenge: Challenge): Challenge => {
  const { gateway: token = '', ...theirs } = challenge.tokens;
  const flawed = flawedTokens(new Map(Object.entries(theirs)), { host: new URL(settings.public_url).host, token, templates: settings.proof_templates });
  if (flawed.size === 0) return challenge;
  const kept = Object.fromEntries(Object.entries(challenge.tokens).filter(([of]) => !flawed.has(of)));
  return { ...challenge, tokens: kept, refused: [...(challenge.refused ?? []), ...flawed.keys()] };
};

/**
 * Returns the signatures by provider id or `gateway`, after checking that the stated key made them. Returns none if no proof is needed. Throws
 * `ownership-proof-failed` if a proof is missing or wrong.
 */
const checkProofs = (gateway: Gateway, request: OpenSessionRequest, challenge: Challenge): Map<string, string> => {
  const { proof_of_ownership: policy, proof_templates: templates } = gateway.settings;
  const stated = request.node_pubkey !== undefined && challenge.tokenOf !== undefined;
  const mustProve =
    policy === 'required' || (policy === 'offered' && (stated || request.signatures !== undefined)) || (policy === 'never' && request.signatures !== undefined);
  if (!mustProve) return new Map();

  const signatures = new Map(Object.entries(request.signatures ?? {}));
  if (request.signature !== undefined && challenge.tokenOf !== undefined && !signatures.has(challenge.tokenOf))
    signatures.set(challenge.tokenOf, request.signature);
  if (request.node_pubkey === undefined || !isNodePubkey(request.node_pubkey))
    throw proofFailed('node_pubkey must be the key that signed: 33 bytes, compressed, in hex.');
  if (signatures.size === 0) throw proofFailed('The request has no signature over a token of GET /verify.');
  for (const of of challenge.refused ?? []) signatures.delete(of);
  for (const [of, signature] of signatures) {
    const token = Object.hasOwn(challenge.tokens, of) ? challenge.tokens[of] : undefined;
    if (token === undefined) throw proofFailed(`This session has no token for "${of}".`);
    if (of === 'gateway' && challenge.gatewayTokenExpiresOn <= gateway.now())
      throw proofFailed("The gateway's own token has expired. Start again with GET /verify.", { action: 'reopen-session' });
    if (!verifyNodeSignature({ token, signature, nodePubkey: request.node_pubkey, templates }))
      throw proofFailed(`The signature over the token for "${of}" was not made by node_pubkey: ${whatSignatureSays(token, signature)}.`);
  }
  return signatures;
};

/** Returns the problem for a failed proof. A new session helps only if the token has expired, because a wrong signature would be wrong again. */
const proofFailed = (detail: string, members: { [key: string]: string } = {}): Problem => new Problem('ownership-proof-failed', detail, { members });

/**
 * Returns the problem for a recovery secret that no customer has. We do not make a new customer instead: the wallet would then replace its secret,
 * which may be known again after another restore. `errors` lets a wallet tell this problem from a wrong signature.
 */
const secretUnknown = (): Problem =>
  new Problem('ownership-proof-failed', 'The recovery_secret is not known.', {
    errors: [{ pointer: '/recovery_secret', detail: 'No customer of this gateway has this secret. Without it, the session is that of a new customer.' }],
  });

const whatSignatureSays = (token: string, signature: string): string => {
  const signer = recoverNodeKey(token, signature);
  if (signer !== undefined) return `either ${signer} signed the token, or the signed text was not exactly the token`;
  return /^[0-9a-f]{130}$/i.test(signature) || (signature.length === 104 && zbase32Decode(signature) !== undefined)
    ? 'no key can have made it'
    : 'it is not 104 characters of z-base-32, as a node prints it';
};

/**
 * Finds the customer of the proven key or of the recovery secret, or creates one. Only a signature over our own token proves a key to us, not one
 * over a provider's token.
 */
const customerOf = async (
  gateway: Gateway,
  recoverySecret: string | undefined,
  provenKey: string | undefined,
): Promise<{ id: string; recoverySecret?: string }> => {
  const { sessions } = gateway.stores;
  const keyHash = provenKey === undefined ? undefined : gateway.hash(provenKey);
  const recoveryHash = recoverySecret === undefined ? undefined : gateway.hash(recoverySecret);
  const found = await sessions.findCustomer(defined({ keyHash, recoveryHash }));
  if (found.byKey !== undefined && found.byRecovery !== undefined && found.byKey !== found.byRecovery) throw conflict();
  // A known key opens the session whatever secret comes with it: a wallet may hold a secret that we have lost, for example by a restore.
  if (found.byKey !== undefined) return { id: found.byKey };
  if (recoveryHash !== undefined && found.byRecovery === undefined) throw secretUnknown();
  if (found.byRecovery !== undefined) {
    if (keyHash !== undefined && !(await sessions.linkKey(found.byRecovery, keyHash))) throw conflict();
    return { id: found.byRecovery };
  }
  const secret = gateway.ids.secret(32);
  const id = gateway.ids.uuid();
  const kept = await sessions.createCustomer({ id, recoveryHash: gateway.hash(secret), now: gateway.now(), ...(keyHash === undefined ? {} : { keyHash }) });
  return kept === id ? { id, recoverySecret: secret } : { id: kept };
};

const conflict = (): Problem =>
  new Problem('customer-conflict', 'The proven key and the recovery_secret do not belong to the same customer. Send only one of them.');

/**
 * Opens the upstream sessions at providers that demand a proof, in parallel. If one fails, only that provider makes no offers in this session.
 * Returns the providers whose answer cannot be used as a session.
 */
const openProven = async (scope: Scope, session: Session, proven: Map<string, string>, nodePubkey: string): Promise<string[]> => {
  const { gateway } = scope;
  const unusable: string[] = [];
  const opening = [...proven].map(async ([providerId, signature]) => {
    const provider = gateway.providers.find((one) => one.id === providerId);
    const begun = session.upstream.get(providerId);
    const adapter = provider?.adapter.buy;
    if (!provider || !adapter || begun?.blob === undefined) return;
    const customer = await gateway.seal.open(begun.blob, blobPlace(begun.id));
    const deadlineMs = gateway.settings.routing.verify_deadline_ms;
    const options = { operation: 'quote', verb: 'open_session', deadlineMs, idempotent: true, customerKey: session.idHash } as const;
    try {
      const opened = await callProvider(scope, provider, options, (context) => openBegun(adapter, { ...context, customer }, { signature, nodePubkey }));
      // If the provider is unreachable, its row stays as it was begun; if it refuses, the row is retired. That is how price requests tell the two
      // apart.
      if ('refusal' in opened) {
        await gateway.stores.sessions.retireUpstream(begun.id, gateway.now());
        return;
      }
      await gateway.stores.sessions.saveUpstream(begun.id, {
        blob: await gateway.seal.seal(opened.blob, blobPlace(begun.id)),
        ready: true,
        expiresOn: opened.expiresOn,
      });
    } catch (fault) {
      // Our own database failed, so the wallet repeats the same request.
      if (isStorageDown(fault)) throw fault;
      // callProvider has already counted and logged the fault.
      if (fault instanceof ProviderFault && fault.kind === 'malformed') unusable.push(providerId);
    }
  });
  await Promise.all(opening);
  return unusable;
};
