/**
 * Text from outside costs time in proportion to its length. A provider may send 256 KB, a proxy 16 KB of headers, a customer 16 KB; a pattern whose
 * time grows with the square of that would stop every customer's request for seconds.
 */
import { expect, it } from 'vitest';
import { likelyReferences } from '../../src/banking/payment-reference.ts';
import { withoutLightningScheme, readBitcoinLink } from '../../src/bitcoin/bitcoin-uri.ts';
import { readCountry } from '../../src/domain/country.ts';
import { readCurrencyCode } from '../../src/domain/currency.ts';
import { customerLink, customerText, holdsLink } from '../../src/domain/links.ts';
import { parseDecimal } from '../../src/domain/money.ts';
import { normalForm } from '../../src/domain/option-name.ts';
import { printableName, withoutInvisible } from '../../src/domain/printable.ts';
import { retryAfterMs } from '../../src/domain/retry-after.ts';
import { clientIp } from '../../src/entry/client-ip.ts';
import { maskText } from '../../src/gateway/operator/mask.ts';
import { endpoints } from '../../src/http/endpoints.ts';
import { validate } from '../../src/http/validate.ts';
import { checkPublicUrl } from '../../src/domain/url-guard.ts';
import { readDecimal } from '../../src/providers/bitrefill/bitrefill-decimal.ts';
import { errorCodeOf, isCertain, isError, orderIn } from '../../src/providers/bitrefill/bitrefill-wire.ts';
import { isGeoBlocked, isPage, openErrorOf, toRefusal as toBlocktankRefusal } from '../../src/providers/blocktank/blocktank-errors.ts';
import { findOrder as findBlocktankOrder } from '../../src/providers/blocktank/blocktank-wire.ts';
import { isUsername } from '../../src/providers/bringin/bringin-connection-mapping.ts';
import { depositForm, readLightningAddress } from '../../src/providers/bringin/bringin-deposit.ts';
import { isEmail } from '../../src/providers/bringin/bringin-mapping.ts';
import { readNotice } from '../../src/providers/bringin/bringin-notice.ts';
import { codeVerdict, isAboutKey, isAboutOperator, linkNote, reasonIn } from '../../src/providers/bringin/bringin-refusal.ts';
import { linkReply, linksReply, orderReply, transactionsReply } from '../../src/providers/bringin/bringin-wire.ts';
import { hintsIn } from '../../src/providers/dfx/dfx-notice.ts';
import { buyOrderReply, transactionsReply as dfxTransactions } from '../../src/providers/dfx/dfx-order-wire.ts';
import { refusalOfBody } from '../../src/providers/dfx/dfx-refusal.ts';
import { assetsReply, fiatsReply, messagesIn, quoteReply } from '../../src/providers/dfx/dfx-wire.ts';
import { toPaymentInfo } from '../../src/providers/fiat-on-ramp/fiat-on-ramp-payment.ts';
import { findDocument, findList, idIn, withCamelNames, withSnakeNames } from '../../src/providers/kit/find-document.ts';
import { asSentence, isUnsure, readError, saysNo } from '../../src/providers/kit/read-error.ts';
import { readEnd, readTime } from '../../src/providers/kit/read-time.ts';
import { parseJsonExactly, parseJsonKeepingNumbers, satsWithUnit, wireBoolean, wireFiat, wireId, wireSats } from '../../src/providers/kit/wire-values.ts';
import { isNotFound, toRefusal } from '../../src/providers/lsps1/lsps1-errors.ts';
import { findOrder } from '../../src/providers/lsps1/lsps1-wire.ts';

const hosts = ['pay.alpine.example'];
const order = endpoints.find(({ id }) => id === 'placeOrder')?.body;
const bodies: ((text: string) => unknown)[] = [
  (text) => text,
  (text) => ({ error: { message: text, code: text }, status: text, order: { id: text }, bringinLink: { id: text, type: text, subtype: text } }),
  (text) => ({ [text]: 1, error: { [text]: 'x' } }),
];
type Read = (body: unknown) => unknown;
const ofBodies: Record<string, readonly Read[]> = {
  bitrefill: [isError, errorCodeOf, isCertain, orderIn],
  blocktank: [findBlocktankOrder, isGeoBlocked, isPage, openErrorOf, (body) => toBlocktankRefusal(body, undefined)],
  bringin: [
    isAboutKey,
    codeVerdict,
    reasonIn,
    linkNote,
    isAboutOperator,
    ...[linkReply, linksReply, orderReply, transactionsReply].map(
      (reply): Read =>
        (body) =>
          reply.safeParse(body),
    ),
  ],
  dfx: [
    (body) => refusalOfBody(body, 'buy'),
    (body) => refusalOfBody({ message: [JSON.stringify(body), body] }, 'sell'),
    messagesIn,
    (body) => quoteReply.safeParse({ isValid: false, errors: [{ error: body, limit: body }], amount: body }),
    (body) => assetsReply.safeParse([body]),
    (body) => fiatsReply.safeParse([{ id: 1, name: body, limits: body }]),
    (body) => buyOrderReply.safeParse({ isValid: true, iban: body, name: body, remittanceInfo: body, street: body }),
    (body) => dfxTransactions.safeParse([{ uid: body, state: body, outputDate: body, outputTxId: body }]),
    (body) => hintsIn(JSON.stringify({ type: 'Payment', data: { uid: body, orderUid: body } })),
  ],
  lsps1: [findOrder, isNotFound, (body) => toRefusal(body, undefined)],
  'fiat-on-ramp': [toPaymentInfo],
  'every provider': [
    idIn,
    withSnakeNames,
    withCamelNames,
    (body) => findDocument(body, (members) => 'nothing' in members),
    (body) => findList(body, ['orders']),
    (body) => saysNo(readError(body)),
    (body) => isUnsure(readError(body)),
    (body) => asSentence(readError(body)),
  ],
};
const ofTexts: Record<string, readonly ((text: string) => unknown)[]> = {
  'a body before it is parsed': [parseJsonExactly, parseJsonKeepingNumbers, (text) => parseJsonExactly(JSON.stringify([text]))],
  'a number': [...[wireSats, wireFiat, wireBoolean, wireId].map((wire) => (text: string) => wire.safeParse(text)), parseDecimal, readDecimal, satsWithUnit],
  'a time': [readEnd, readTime, (text) => retryAfterMs(text, text, 0)],
  'a name': [normalForm, printableName, withoutInvisible, holdsLink, readCurrencyCode, readCountry, isUsername, (text) => likelyReferences({ [text]: text })],
  'a link': [
    (text) => customerLink(text, hosts, false),
    (text) => customerText(text, hosts, false),
    (text) => readBitcoinLink(text, 'regtest'),
    withoutLightningScheme,
    (text) => checkPublicUrl(text, { sandbox: false, allowedPorts: [443], ownHosts: [] }),
  ],
  'an address': [isEmail, depositForm, (text) => readLightningAddress(text, hosts)],
  'the headers of a proxy': [(text) => clientIp('10.0.0.2', text, ['10.0.0.0/8']), (text) => clientIp('10.0.0.2', undefined, ['10.0.0.0/8'], `for="${text}"`)],
  'a notice': [(text) => readNotice(`/${text}`, text)],
  'a text in a log': [maskText],
  'a request': [(text) => order && validate(order, { ...Object.fromEntries(['a', 'b', 'c', 'd'].map((first) => [first + text, 1])), session_id: text })],
};

const long = 32 * 1024;
const repeated = [
  'a',
  'A',
  '1',
  ' ',
  '.',
  ':',
  '_',
  '/',
  '<',
  '(',
  '"',
  '[',
  '\\',
  '\u{fdfa}',
  'aA',
  '1.',
  'a.',
  ' a',
  '1,',
  '{"a":',
  '<script',
  '</script ',
  'FIAT',
  'https:',
  '@a',
];
const texts = repeated
  .map((unit) => unit.repeat(Math.ceil(long / unit.length)).slice(0, long))
  // A pattern is slow when it fails late: after the whole run.
  .flatMap((run) => [run, `<${run}`, `:${run}x`, `a${run}!`, `https://${run}!`]);

const cpuMs = (work: () => unknown): number => {
  const before = process.cpuUsage();
  try {
    work();
  } catch {
    // A refusal is an answer, too.
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
/**
 * A reader takes about 10 ms for 32 KB; a reader whose time grows with the square of the length takes more than 300 ms. CPU time does not count
 * waiting.
 */
const mostMs = 200;
const isSlow = (work: () => unknown): boolean => cpuMs(work) > mostMs && cpuMs(work) > mostMs;
/** Returns the first slow reader with its text. */
const slowOf = (readers: readonly Read[], bodiesOf: readonly ((text: string) => unknown)[]): string | undefined => {
  for (const read of readers)
    for (const bodyOf of bodiesOf)
      for (const text of texts) if (isSlow(() => read(bodyOf(text)))) return `${read.name || String(read)} of ${text.slice(0, 12)}`;
  return undefined;
};

it.each(Object.entries(ofBodies))('a body of 32 KB from %s takes no time to speak of', (_provider, readers) => {
  expect(slowOf(readers, bodies)).toBeUndefined();
});

it.each(Object.entries(ofTexts))('%s of 32 KB takes no time to speak of', (_kind, readers) => {
  expect(slowOf(readers as readonly Read[], [(text) => text])).toBeUndefined();
});
