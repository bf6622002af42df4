import type * as z from 'zod';
import { toCanonicalLnurl } from '../../bitcoin/lnurl.ts';
import { signNodeMessage } from '../../bitcoin/node-signature.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { begin } from '../../domain/begin.ts';
import { firstAsk, judgeAsk } from '../../domain/fee-styles.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { tokenFlaw } from '../../domain/proof-token.ts';
import { sameId } from '../../domain/same-id.ts';
import { ProviderFault } from '../fault.ts';
import type { End } from '../kit/read-time.ts';
import { listingBytes, mayBeDone, requestJson, type JsonCall } from '../kit/request-json.ts';
import type { AdapterDeps, Answer, ClaimingBuyer, BuyQuoteRequest, CallContext, CatalogueOption } from '../spec.ts';
import { isListing, staticOptions, toEvidence, toFeatures, toOffer, toOptions, toPlaced, upstreamOption } from './fiat-on-ramp-mapping.ts';
import { floorToUpstream, toUpstream } from './fiat-on-ramp-units.ts';
import type { Settings } from './fiat-on-ramp-settings.ts';
import { readUsualQuote } from './fiat-on-ramp-usual.ts';
import { featuresWire, orderWire, paymentOptionsWire, quoteReply, sessionWire, statusReply, verifyWire, withdrawalReply } from './fiat-on-ramp-wire.ts';

/** The blob that the gateway keeps sealed for this adapter. */
type Blob = { sessionId: string; token?: string; expiresOn: number };
type Path = 'features' | 'verify' | 'session' | 'payment-options' | 'quote' | 'order' | 'order-status' | 'withdrawal';

/** The lifetime that we assume for a session without a readable expiry. */
const sessionLifeMs = 10 * 60_000;
const sessionEnd = (until: End, now: number): number => (typeof until === 'number' ? until : now + sessionLifeMs);
const declined = { ok: false, refusal: { reason: 'declined' } } as const;

/** `setting`: the setting that would solve the logged problem. */
export const logFields = ['setting'] as const;
type Deps = AdapterDeps<(typeof logFields)[number]>;

export const createFiatOnRampAdapter = (deps: Deps, settings: Settings): ClaimingBuyer => {
  const base = settings.base_url.replace(/\/$/, '') + settings.path_prefix;
  const urlOf = (path: Path): string => base + (settings.path_map[path] ?? `/${path}`);
  const call = <S extends z.ZodType>(context: CallContext, path: Path, schema: S, body?: object, more: Pick<JsonCall<S>, 'maxBytes' | 'readUsual'> = {}) =>
    requestJson({
      http: deps.http,
      method: body === undefined ? 'GET' : 'POST',
      url: urlOf(path),
      signal: context.signal,
      schema,
      body,
      maxBytes: more.maxBytes,
      readUsual: more.readUsual,
      mayRepeat: more.maxBytes !== undefined && path !== 'order-status',
      headers: context.traceparent === undefined ? undefined : { traceparent: context.traceparent },
    });

  /**
   * The answer for a session that has ended at the provider. If the provider demands proof, the customer must prove the key again. Otherwise the
   * emptied blob makes the gateway open a new session.
   */
  const sessionOver = { ok: false, refusal: { reason: settings.proof === 'demanded' ? 'proof-required' : 'busy' }, customer: '' } as const;

  const askQuote = (context: CallContext, option: CatalogueOption, amount: { fiat: bigint } | { sats: bigint }): Promise<Answer<ProviderOffer>> => {
    const { currency_id, id } = upstreamOption(option);
    const asked = 'fiat' in amount ? toUpstream(amount.fiat, option.currency, settings) : amount.sats;
    if (asked === undefined) return Promise.resolve({ ok: false, refusal: { reason: 'off-step' } });
    const field = 'fiat' in amount ? 'amount_fiat' : settings.sats_field;
    const body = { session_id: blobOf(context).sessionId, [field]: Number(asked), currency_id, payment_option_id: id };
    return call(context, 'quote', quoteReply, body, { readUsual: readUsualQuote }).then((reply) => {
      if (!reply.ok) return reply.status === 401 ? sessionOver : declined;
      if (typeof reply.value === 'string' || 'message' in reply.value) return declined;
      const offer = toOffer(reply.value, option, settings);
      return offer ? { ok: true, value: offer } : { ok: false, refusal: { reason: 'off-step' } };
    });
  };

  /**
   * Gets a price for a total that includes the fee, from a provider that adds its fee on top: asks for less, so that amount and fee together equal
   * the total. Corrects the amount at most once.
   */
  const askTotal = async (context: CallContext, option: CatalogueOption, total: bigint): Promise<Answer<ProviderOffer>> => {
    let ask = firstAsk(total, option.feePpm);
    for (const corrected of [false, true]) {
      ask = floorToUpstream(ask, option.currency, settings);
      if (ask <= 0n) break;
      const answer = await askQuote(context, option, { fiat: ask });
      if (!answer.ok) return answer;
      const judged = judgeAsk(total, answer.value.pay - answer.value.fee, answer.value.fee, corrected);
      if (judged === 'fits') return answer;
      if (judged === 'fee-unresolved') break;
      ask = judged.ask;
    }
    return { ok: false, refusal: { reason: 'fee-unresolved' } };
  };

  return {
    beginSession: async (context) => {
      const reply = await call(context, 'verify', verifyWire);
      if (!reply.ok) return declined;
      const { session_id: sessionId, token: word = '', expires_on: until } = reply.value;
      const expiresOn = sessionEnd(until, deps.now());
      if (word !== '' && settings.proof === 'none') {
        deps.log('warn', 'proof_demanded', { setting: 'proof: demanded' });
        return { ok: false, refusal: { reason: 'proof-required', note: 'proof-not-configured' } };
      }
      // The customer signs this text as the token, so it must be the sentence that the provider wants signed.
      const token = word === '' ? {} : { token: settings.proof_template?.replace('TOKEN', () => word) ?? word };
      const blob: Blob = { sessionId, expiresOn, ...token };
      return { ok: true, value: { expiresOn, ...token }, customer: JSON.stringify(blob) };
    },

    openSession: async (context, given) => {
      const blob = blobOf(context);
      const proof = given ?? ownProof(deps, settings, blob);
      if (!proof && blob.token !== undefined) {
        if (settings.catalogue_without_session || settings.options) return { ok: true, value: { expiresOn: blob.expiresOn }, customer: JSON.stringify(blob) };
        return { ok: false, refusal: { reason: 'proof-required' } };
      }
      const body = {
        session_id: blob.sessionId,
        ...(proof ? { signature: proof.signature, node_pubkey: proof.nodePubkey } : { signature: deps.newId().replaceAll('-', '') }),
      };
      const reply = await call(context, 'session', sessionWire, body);
      if (!reply.ok) return { ok: false, refusal: { reason: blob.token === undefined ? 'declined' : 'proof-required' } };
      const expiresOn = sessionEnd(reply.value.expires_on, deps.now());
      // We could never use such a session, and would open another one before each price.
      if (expiresOn <= deps.now()) throw new ProviderFault('malformed', 'the session had already expired when it was opened', { taken: 'no' });
      const opened: Blob = { sessionId: reply.value.session_id ?? blob.sessionId, expiresOn };
      return { ok: true, value: { expiresOn }, customer: JSON.stringify(opened) };
    },

    catalogue: async (context) => {
      const features = await call(context, 'features', featuresWire, undefined, { maxBytes: listingBytes });
      // A provider from before /features (2023) does not say which features it supports. Each of its prices says whether it is binding.
      if (!features.ok && features.status !== 404) return declined;
      const promised = toFeatures(features.ok ? features.value : { supported_features: [] });
      if (settings.options) return { ok: true, value: { features: promised, options: staticOptions(settings) } };
      const session_id = blobOf(context).sessionId;
      const reply =
        settings.payment_options_method === 'POST'
          ? await call(context, 'payment-options', paymentOptionsWire, { session_id }, { maxBytes: listingBytes })
          : await requestJson({
              http: deps.http,
              method: 'GET',
              url: `${urlOf('payment-options')}?session_id=${encodeURIComponent(session_id)}`,
              signal: context.signal,
              schema: paymentOptionsWire,
              maxBytes: listingBytes,
              mayRepeat: true,
            });
      if (!reply.ok) return reply.status === 401 ? sessionOver : declined;
      return { ok: true, value: { features: promised, options: toOptions(reply.value, settings) } };
    },

    quote: (context, request: BuyQuoteRequest) =>
      begin(() => {
        const { option, fixed, amount } = request;
        if (fixed === 'receive') return askQuote(context, option, { sats: amount });
        return settings.fee_style === 'added' ? askTotal(context, option, amount) : askQuote(context, option, { fiat: amount });
      }),

    placeOrder: async (context, { quote, offer, noticeUrl }) => {
      if (quote.ramp !== 'buy') throw new Error('this adapter buys only');
      const { quote_id } = offer.upstream as { quote_id: string };
      // A string with status 200 ("An order already exists …") does not match the schema. The fault is then `malformed`, and there may be an order.
      const reply = await call(context, 'order', orderWire, {
        session_id: blobOf(context).sessionId,
        quote_id,
        ...(noticeUrl === undefined ? {} : { webhook_url: noticeUrl }),
      });
      if (reply.ok) return { ok: true, value: toPlaced(reply.value, quote.option, offer, settings) };
      if (settings.not_taken_statuses.includes(reply.status)) return reply.status === 401 ? sessionOver : declined;
      throw new ProviderFault('malformed', `status ${reply.status} in response to an order`, { status: reply.status });
    },

    readOrders: async (context, order) => {
      const asked = order?.upstreamOrderId;
      const reply = await call(
        context,
        'order-status',
        statusReply,
        { session_id: blobOf(context).sessionId, ...(asked === undefined ? {} : { order_id: asked }) },
        { maxBytes: listingBytes },
      );
      if (reply.ok) {
        const { value } = reply;
        const isNone = typeof value === 'string' || !isListing(value);
        // If one order was asked for, an error with status 200 means that there is no such order. If a list was asked for, such an error does not
        // mean that the list is empty.
        if (isNone && asked === undefined) throw new ProviderFault('malformed', 'the answer is not a list of orders');
        return { ok: true, value: isNone ? [] : toEvidence(value, asked, order?.facts.currency, settings) };
      }
      if (reply.status === 404 || (reply.status === 400 && asked !== undefined)) return { ok: true, value: [] };
      // An order is read in the session that placed it. An ended session is not a fault of the provider, and says nothing about the order.
      if (reply.status === 401 && asked !== undefined) return { ok: false, refusal: sessionOver.refusal };
      throw new ProviderFault('server', `status ${reply.status} when reading orders`, { status: reply.status });
    },

    claim: async (context, { order, fallbackAddress }) => {
      if (order.upstreamOrderId === undefined) throw new Error("an order without the provider's id cannot be claimed");
      const failback = fallbackAddress === undefined ? {} : { failback_onchain: settings.bip21 ? `bitcoin:${fallbackAddress}` : fallbackAddress };
      const reply = await call(context, 'withdrawal', withdrawalReply, {
        session_id: blobOf(context).sessionId,
        order_id: order.upstreamOrderId,
        ...failback,
      });
      // After such a status, or a string with status 200 (which does not match the schema), the provider may have given a link all the same.
      if (!reply.ok && mayBeDone(reply.status))
        throw new ProviderFault('server', `status ${reply.status} in response to a withdrawal`, { status: reply.status });
      if (!reply.ok) return declined;
      const { order_id: about } = reply.value;
      if (about !== undefined && !sameId(about, order.upstreamOrderId)) throw new ProviderFault('malformed', 'the withdrawal is for another order');
      const canonical = toCanonicalLnurl(reply.value.lnurlw, { loopbackHttp: deps.mode === 'sandbox' });
      if (!canonical) throw new ProviderFault('malformed', 'lnurlw is not an LNURL-withdraw link');
      const expiresOn = reply.value.withdrawal_expiration_date;
      return { ok: true, value: { lnurl: canonical.lnurl, ...(expiresOn === undefined ? {} : { expiresOn }) } };
    },
  };
};

/** Reads the blob, which the gateway kept from an earlier answer of this adapter. A call without a blob is a bug of ours. */
const blobOf = (context: CallContext): Blob => {
  if (context.customer === undefined || context.customer === '') throw new Error('the call has no upstream session');
  return JSON.parse(context.customer) as Blob;
};

/** Signs with the gateway's own key, to open the gateway's own session, in which it reads the listing. */
const ownProof = (deps: Deps, settings: Settings, blob: Blob): { signature: string; nodePubkey: string } | undefined => {
  const key = settings.catalogue_key_env === undefined ? undefined : deps.secret(settings.catalogue_key_env);
  // Like a customer's key, the gateway's key must not sign anything that is valid at another service.
  return key === undefined || blob.token === undefined || tokenFlaw(blob.token) !== undefined
    ? undefined
    : { signature: signNodeMessage(blob.token, key), nodePubkey: publicKeyOf(key) };
};
