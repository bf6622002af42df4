// A page that buys: it shows offers, an order, how to pay it, and the link to withdraw. After a reload it continues where it was.
import { createRamp, localStorageStore, RampError } from '@ramp-gateway/client';

const gateway = new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:8787';
// The store holds the secret that opens the customer's orders: serve nothing else from this origin.
const ramp = createRamp({ url: gateway, store: localStorageStore() });

const find = (selector) => document.querySelector(selector);
const element = (name, text = '') => Object.assign(document.createElement(name), { textContent: text });
const list = (rows) => {
  const shown = element('dl');
  for (const [term, text] of rows) shown.append(element('dt', term), element('dd', text ?? ''));
  return shown;
};
/** Runs an action of the user, and shows what went wrong. */
const run = async (work) => {
  find('[role=alert]').textContent = '';
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RampError)) throw error;
    // `message` is a sentence for people, `action` says what can be done about it.
    find('[role=alert]').textContent = `${error.message} (${error.action})`;
  }
};

const howToPay = (pay) => {
  if (pay?.kind === 'bank')
    return list([
      ['Amount', String(pay.amount)],
      ['IBAN', pay.iban],
      ['Name', pay.name],
      ['Reference', pay.reference],
      ['Before', pay.before?.toLocaleString()],
    ]);
  if (pay?.kind === 'page') return Object.assign(element('a', 'Pay on the page of the provider'), { href: pay.url, target: '_blank', rel: 'noopener' });
  return element('p');
};

const follow = async (order) => {
  const shown = element('article');
  find('#orders').append(shown);
  for await (const state of order.updates()) {
    shown.replaceChildren(element('h2', `${state.gets?.text} sats from ${state.provider.name}`), element('p', state.stage));
    if (state.pay) shown.append(howToPay(state.pay));
    if (state.stage !== 'filled') continue;
    const { lnurl } = await order.withdraw();
    shown.append(Object.assign(element('a', 'Open in your wallet'), { href: `lightning:${lnurl}` }));
  }
};

const buy = async (offer) => {
  find('#offers').replaceChildren();
  const order = await ramp.buy(offer, { atLeast: (offer.gets.units * 99n) / 100n });
  // Not awaited: the order is followed in the background until it is finished.
  void run(() => follow(order));
};

find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  void run(async () => {
    const { all, not } = await ramp.offers({ pay: new FormData(event.target).get('pay').trim(), currency: 'EUR', by: 'SEPA' });
    find('#offers').replaceChildren(
      ...all.map((offer) => {
        const row = element('li', `${offer.provider.name}: ${offer.gets.text} sats `);
        const button = element('button', 'Buy');
        button.addEventListener('click', () => void run(() => buy(offer)));
        row.append(button);
        return row;
      }),
      ...not.map(({ provider, reason, min }) => element('li', `${provider.name}: ${reason}${min ? `, from ${min.text} ${min.currency}` : ''}`)),
    );
  });
});

// Continue the orders that were open when the page was left.
void run(async () => {
  const { orders, pending } = await ramp.open();
  for (const one of pending) orders.push(await one.again());
  for (const order of orders) void run(() => follow(order));
});
