/**
 * Does what a wallet does on the Lightning network, for the sandbox. The simulated providers take the place of the network, and treat their own
 * invoices as paid after a moment.
 */
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';

/** The URLs of the simulators by provider id, as noted in the data folder. */
export type Simulators = Record<string, string>;

const notFound = 'the sandbox of this gateway was not found: run this command with the same PORT and DATA_DIR as `npm start`';

const read = async (url: string | URL, init?: RequestInit): Promise<Record<string, unknown>> => {
  const response = await fetch(url, init);
  const answer = (await response.json()) as Record<string, unknown>;
  if (answer['status'] === 'ERROR') throw new Error(String(answer['reason']));
  // A provider may answer JSON for a path that it does not have.
  if (!response.ok) throw new Error(`status ${response.status}`);
  return answer;
};

/**
 * Asks a Lightning address (LUD-16) for an invoice, and returns it. The host of the address does not exist here, so the sandbox provider that knows
 * the name is asked.
 */
export const payAddress = async (simulators: Simulators, address: string, sats: number): Promise<string> => {
  if (Object.keys(simulators).length === 0) throw new Error(notFound);
  const [name = ''] = address.split('@');
  const asked = await Promise.any(
    Object.values(simulators).map(async (url) => await read(new URL(`/.well-known/lnurlp/${encodeURIComponent(name)}`, url))),
  ).catch(() => undefined);
  if (!asked) throw new Error(`no sandbox provider has the Lightning address ${address}`);
  const callback = new URL(String(asked['callback']));
  callback.searchParams.set('amount', String(sats * 1000));
  return String((await read(callback))['pr']);
};

/** Redeems a link for a channel by LUD-02, as a wallet with its own node does. */
export const redeemChannel = async (lnurl: string, pubkey: string): Promise<Record<string, unknown>> => {
  const url = decodeLnurl(lnurl, { loopbackHttp: true });
  if (url === undefined) throw new Error('the LNURL does not decode');
  const request = await read(url);
  const callback = new URL(String(request['callback']));
  for (const [key, value] of Object.entries({ k1: String(request['k1']), remoteid: pubkey, private: '1' })) callback.searchParams.set(key, value);
  return await read(callback);
};

/** Makes the seller at `key@id.example:9735` know our node, as a connection from our node to the seller's would. */
export const connectPeer = async (simulators: Simulators, uri: string, pubkey: string): Promise<void> => {
  if (Object.keys(simulators).length === 0) throw new Error(notFound);
  const id = /^[0-9a-f]{66}@([\w-]+)\.example:9735$/.exec(uri)?.[1] ?? '';
  const simulator = simulators[id];
  if (simulator === undefined) throw new Error(`no sandbox seller has the address ${uri}`);
  const body = JSON.stringify({ do: 'options', options: { connected: [pubkey] } });
  await read(new URL('/__control', simulator), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
};
