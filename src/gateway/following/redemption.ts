/** What redeems a channel, such as an LNURL or a link. It is a bearer secret: it is stored sealed, and only its order's owner sees it. */
import { toCanonicalLnurl } from '../../bitcoin/lnurl.ts';
import { defined } from '../../domain/defined.ts';
import { customerLink } from '../../domain/links.ts';
import type { Json } from '../../domain/offer.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { orderSecretPlace } from '../places.ts';
import { linkHosts, providerOf } from '../upstream/provider-of.ts';

export type Redemption = { lnurl?: string; link?: string };

/**
 * Returns the redemption in a provider's secret, with links in canonical form. `untrusted`: one of its links does not lead to the provider's own
 * hosts. Undefined: the secret redeems nothing.
 */
const redemptionIn = (gateway: Gateway, order: Order, secret: Json): Redemption | 'untrusted' | undefined => {
  const provider = providerOf(gateway, order.providerId);
  const adapter = provider.adapter[order.ramp];
  const redemption = adapter && 'redemption' in adapter ? adapter.redemption?.({ rawStatus: order.rawStatus, secret }) : undefined;
  if (!redemption) return undefined;
  const sandbox = gateway.settings.mode === 'sandbox';
  const hosts = linkHosts(provider, provider.core.payout_hosts);
  const link = redemption.link === undefined ? undefined : customerLink(redemption.link, hosts, sandbox);
  const canonical = redemption.lnurl === undefined ? undefined : toCanonicalLnurl(redemption.lnurl, { loopbackHttp: sandbox });
  const lnurl = canonical && customerLink(canonical.url.href, hosts, sandbox) !== undefined ? canonical.lnurl : undefined;
  if ((redemption.link !== undefined && link === undefined) || (redemption.lnurl !== undefined && lnurl === undefined)) return 'untrusted';
  return defined({ lnurl, link });
};

/** Returns the redemption that is stored with the order. Throws if the stored secret cannot be opened. */
export const heldRedemption = async (gateway: Gateway, order: Order): Promise<Redemption | 'untrusted' | undefined> =>
  order.secret === undefined ? undefined : redemptionIn(gateway, order, JSON.parse(await gateway.seal.open(order.secret, orderSecretPlace(order.id))) as Json);

export const tellUntrusted = (gateway: Gateway, { id, providerId }: Order): void => {
  gateway.count('untrusted_links_total', { provider: providerId });
  gateway.log('error', 'redemption_link_untrusted', { provider: providerId, order: id });
};

/**
 * Decides whether to store the secret that a read returned. The first redemption that can be shown is kept for good. Until there is one, each secret
 * with a redemption replaces the stored one, because a provider may correct a link. A secret without a redemption is not stored. `sealed` is what to
 * store. `untrusted`: the new redemption cannot be shown.
 */
export const takeSecret = async (gateway: Gateway, order: Order, secret: Json | undefined): Promise<{ sealed?: string; untrusted: boolean }> => {
  if (secret === undefined || (await holdsRedemption(gateway, order))) return { untrusted: false };
  const found = redemptionIn(gateway, order, secret);
  if (found === undefined) return { untrusted: false };
  return { sealed: await gateway.seal.seal(JSON.stringify(secret), orderSecretPlace(order.id)), untrusted: found === 'untrusted' };
};

const holdsRedemption = async (gateway: Gateway, order: Order): Promise<boolean> => {
  try {
    const held = await heldRedemption(gateway, order);
    return held !== undefined && held !== 'untrusted';
  } catch {
    return false; // sealed with a key that we no longer have, so a later secret may replace it
  }
};
