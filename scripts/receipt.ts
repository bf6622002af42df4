/**
 * `npm run receipt -- verify <file> [--url <gateway>] [--keys <file>]`: checks a receipt offline, or with the keys and the signed root of a running
 * gateway. The file holds either the compact JWS or the answer of POST /route. If something is wrong, prints what and exits with 1.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { verifyReceipt, type Inclusion, type PublicKeys, type ReceiptPayload } from '../src/domain/receipt.ts';
import { betterExcluded } from '../src/domain/route.ts';
import { fromJson } from '../src/domain/route-json.ts';
import { called } from './ops/called.ts';
import { command, onOneLine, Refused, say } from './ops/tools.ts';

type Receipt = { kind?: string; receipt: string; inclusion?: Inclusion };

const receiptsIn = (text: string): Receipt[] => {
  if (!text.trimStart().startsWith('{')) return [{ receipt: text.trim() }];
  const answer = JSON.parse(text) as { receipts?: Receipt[]; receipt?: string };
  return answer.receipts ?? (answer.receipt === undefined ? [] : [{ receipt: answer.receipt }]);
};
const read = async <T>(url: string): Promise<T> => {
  const response = await fetch(url);
  if (!response.ok) throw new Refused(`${url} returned ${response.status}`);
  return (await response.json()) as T;
};

/** Names the offers that the gateway left out although they were better than the first. The receipt does not prove that it had to leave them out. */
const sayExcluded = ({ kind, route }: ReceiptPayload): void => {
  if (kind !== 'decision' || route === undefined) return;
  for (const { providerId, rule, offer } of betterExcluded(fromJson(route)))
    say(
      onOneLine(
        `       not ranked, though better than rank 1: ${providerId}, excluded by ${rule} (pay ${offer.pay}, receive ${offer.receive}, fee ${offer.fee})`,
      ),
    );
};

const check = async ({ kind, receipt, inclusion }: Receipt, keys: PublicKeys, url: string | undefined): Promise<void> => {
  // Uses the published root instead of the file's: a gateway could have signed another root just for this file.
  const published = inclusion && url !== undefined ? await read<{ signed_root: string }>(`${url}/.well-known/receipts/${inclusion.day}`) : {};
  const verified = await verifyReceipt(receipt, keys, inclusion && { ...inclusion, ...published });
  if (!verified.ok) throw new Refused(`NOT VALID${kind === undefined ? '' : ` (${kind})`}: ${verified.problem}`);
  const { payload } = verified;
  const made = new Date(payload.made_on).toISOString();
  const what = payload.kind === 'decision' ? 'its figures, ranked again, give the same ranking' : JSON.stringify(payload.order);
  say(`valid  ${payload.kind}, made by ${payload.issuer} on ${made}: ${what}`);
  sayExcluded(payload);
  if (!inclusion) return say('       the file has no proof of inclusion: its day was not closed yet, or the file holds the receipt alone');
  say(`       number ${inclusion.index + 1} of ${inclusion.size} receipts of ${inclusion.day}, under the signed root ${inclusion.root.slice(0, 16)}…`);
};

await command(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { url: { type: 'string' }, keys: { type: 'string' } } });
  const [verb, file] = positionals;
  if (verb !== 'verify' || file === undefined || (values.url === undefined && values.keys === undefined))
    throw new Refused(`usage: ${called('receipt', 'verify <file>')} with --url <gateway>, or --keys <file with the answer of /.well-known/receipt-keys>`);
  const url = values.url?.replace(/\/$/, '');
  const keys =
    values.keys === undefined ? await read<PublicKeys>(`${url}/.well-known/receipt-keys`) : (JSON.parse(readFileSync(values.keys, 'utf8')) as PublicKeys);
  const receipts = receiptsIn(readFileSync(file, 'utf8'));
  if (receipts.length === 0) throw new Refused(`${file} holds no receipt`);
  for (const one of receipts) await check(one, keys, url);
});
