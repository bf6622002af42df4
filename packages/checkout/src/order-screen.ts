import { html, nothing, type TemplateResult } from 'lit';
import type { OrderState, Pay, Withdrawal } from '@ramp-gateway/client';
import { showMoney, showTime } from './amounts.ts';
import { copyButton, money, problem, theirs, waiting, type Part } from './parts.ts';
import { qrCode } from './qr.ts';
import { isWithoutCode } from './flow.ts';
import type { View } from './view.ts';
import { textOf } from './words.ts';

const way = ['awaiting_payment', 'paid', 'filled', 'finished'];

export const orderScreen = (view: View): TemplateResult => {
  const { state, words, flow } = view;
  const { order } = state;
  if (!order) return html``;
  const isOnWay = way.includes(order.stage);
  // A customer whom the gateway no longer knows could pay, but could not collect the bitcoin.
  const mayPay = (order.stage === 'awaiting_payment' || order.stage === 'underpaid') && state.trouble?.isStranger !== true;
  return html`${state.isAway ? html`<p class="note" role="status">${words.away}</p>` : nothing} ${isOnWay ? nothing : stopped(view, order)}
    ${isOnWay ? steps(view, order) : nothing} ${order.warnings.map((word) => html`<p class="note">${textOf(words.warnings, word, word)}</p>`)}
    ${mayPay && order.pay ? toPay(view, order.pay) : nothing} ${order.stage === 'filled' ? claim(view) : nothing}
    ${order.stage === 'paid' ? html`<p class="muted">${words.stageHelp['paid']}</p>` : nothing}
    ${
      order.stage === 'finished'
        ? html`${stillThere(view)}
            <p>${words.finishedHelp}</p>`
        : nothing
    }
    ${state.trouble && order.stage !== 'filled' && order.stage !== 'finished' ? problem(view, state.trouble, { label: words.tryAgain, run: () => void flow.show(order) }) : nothing}
    ${summary(view, order)}
    <div class="actions">
      ${order.stage === 'finished' || order.final ? html`<button type="button" class="second" @click=${view.save}>${words.receipt}</button>` : nothing}
      ${back(view, order)}
      <button type="button" class="quiet" @click=${() => void flow.begin()}>${words.another}</button>
    </div>`;
};

/** Returns the heading for the order's stage. */
export const stageTitle = ({ words }: View, { stage }: OrderState): string => words.stages[stage] ?? words.stageUnknown;

const steps = ({ words }: View, { stage }: OrderState): TemplateResult => {
  const at = way.indexOf(stage);
  return html`<ol class="steps" aria-label=${words.progress}>
    ${way.map((one, n) => html`<li class=${n < at || stage === 'finished' ? 'done' : n === at ? 'now' : ''} aria-current=${n === at ? 'step' : nothing}>${words.steps[one]}</li>`)}
  </ol>`;
};

const stopped = ({ words }: View, { stage }: OrderState): Part => {
  const help = words.stageHelp[stage];
  return help === undefined ? nothing : html`<p class="note ${stage === 'refunded' ? '' : 'bad'}">${help}</p>`;
};

/** An order must not be paid after its time limit. While the gateway is away, the page itself must notice that the time is up. */
const toPay = (view: View, pay: Pay): TemplateResult =>
  pay.before && pay.before.getTime() <= view.now ? html`<p class="note bad">${view.words.stageHelp['expired']}</p>` : howToPay(view, pay);

type Bank = Extract<Pay, { kind: 'bank' }>;
const howToPay = (view: View, pay: Pay): TemplateResult => {
  const { words, language } = view;
  const before = pay.before ? html`<p class="muted small">${words.payBefore(showTime(pay.before, language))}</p>` : nothing;
  if (pay.kind === 'page') return html`<section class="pay">${page(view, pay.url)}${before}</section>`;
  if (pay.kind !== 'bank') return html`<p class="note bad">${words.payOther}</p>`;
  const rows: [name: string, text: string | undefined][] = [
    [words.payee, pay.name],
    [words.iban, pay.iban?.replaceAll(/\s/g, '').replaceAll(/(.{4})(?=.)/g, '$1 ')],
    [words.bic, pay.bic],
    [words.reference, pay.reference],
    ...others(pay),
  ];
  return html`<section class="pay">
    <p class="once">${words.payOnce}${aboutReference(view, pay)}</p>
    <dl>
      ${pay.amount ? row(view, words.amount, money(view, pay.amount), pay.amount.text) : nothing}
      ${rows.map(([name, text]) => (text === undefined ? nothing : row(view, name, text, name === words.iban ? text.replaceAll(' ', '') : text)))}
    </dl>
    ${
      pay.epcQr === undefined
        ? nothing
        : html`<figure>
            ${qrCode(pay.epcQr, words.qrBank)}
            <figcaption class="muted small">${words.qrBank}</figcaption>
          </figure>`
    }
    ${pay.url === undefined ? nothing : page(view, pay.url)} ${before}
  </section>`;
};

const row = (view: View, name: string, text: string, toCopy: string): TemplateResult =>
  html`<div>
    <dt>${name}</dt>
    <dd>${theirs(text)}</dd>
    <dd>${copyButton(view, name, toCopy)}</dd>
  </div>`;

/** The details that are shown under our own names. All others are shown under the provider's names, unless they only repeat the reference. */
const known = /^provider_(?:iban|bic|name|reference)$/;
const others = ({ details, reference }: Bank): [string, string][] =>
  Object.entries(details).flatMap(([key, text]) =>
    known.test(key) || text.trim() === reference?.trim() ? [] : [[key.replace(/^provider_/, '').replaceAll('_', ' '), text] as [string, string]],
  );

/** Matches keys that may name a reference. If the gateway cannot tell which of them is the payment's reference, it names none. */
const referenceLike = /(?<!p)referen|riferiment|(?:^|[^a-z])ref(?![a-z])|verwendungszweck|remittance|purpose|memo|communication|payment_note/i;
const aboutReference = ({ words }: View, { details, reference }: Bank): string => {
  if (reference !== undefined) return ` ${words.payReference}`;
  return Object.keys(details).some((key) => referenceLike.test(key)) ? ` ${words.payReferences}` : '';
};

const page = ({ words }: View, address: string): Part => {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // The gateway has checked the host. A scheme other than http and https, such as javascript:, could run code in this page.
  if (!url || !/^https?:$/.test(url.protocol)) return html`<p class="note bad">${words.payOther}</p>`;
  return html`<a class="button first" href=${url.href} target="_blank" rel="noopener noreferrer">${words.payPage(url.host)}</a>
    <p class="muted small">${words.payPageHelp}</p>`;
};

const claim = (view: View): TemplateResult => {
  const { state, words, language, flow } = view;
  const { withdrawal, short } = state;
  const sats = (text: string): string => showMoney({ text, currency: 'sat' }, language);
  // If everything that was ordered has arrived, the customer is asked because more was charged.
  const isOver = short !== undefined && BigInt(short.sats) >= BigInt(short.quotedSats);
  if (short && !withdrawal && !state.working)
    return html`<div class="note">
      <h2>${isOver ? words.overTitle : words.shortTitle}</h2>
      <p>${isOver ? words.overHelp(sats(short.sats)) : words.shortHelp(sats(short.sats), sats(short.quotedSats))}</p>
      <button type="button" class="first" @click=${() => void flow.withdraw(true)}>${words.shortTake(sats(short.sats))}</button>
    </div>`;
  if (!withdrawal)
    return html`${state.trouble && !state.working ? problem(view, state.trouble, { label: words.tryAgain, run: () => void flow.withdraw(false) }) : nothing}${waiting(view)}`;
  if (withdrawal.expiresOn.getTime() <= view.now)
    return html`<div class="note">
      <p>${words.claimOver}</p>
      <button type="button" class="first" @click=${() => void flow.withdraw(false)}>${words.claimAgain}</button>
    </div>`;
  return code(view, withdrawal, words.claimHelp);
};

/**
 * Some providers call an order finished as soon as they give its code. So the code of a finished order stays until it expires: the customer may not
 * have collected the bitcoin yet. After that, the customer may ask for another code.
 */
const stillThere = (view: View): Part => {
  const { state, words, flow } = view;
  const { withdrawal, noCode, trouble, short, working } = state;
  if (withdrawal && withdrawal.expiresOn.getTime() > view.now) return code(view, withdrawal, words.claimStill);
  if (working) return waiting(view);
  if (short) return claim(view);
  const again = () => void flow.withdraw(false);
  if (trouble?.code === 'order-not-withdrawable') return html`<p class="note">${words.claimNone}</p>`;
  if (trouble) return problem(view, trouble, { label: words.tryAgain, run: again });
  if (noCode && !isWithoutCode(noCode))
    return html`<p class="note">${words.claimUnread}</p>
      ${problem(view, noCode, { label: words.tryAgain, run: again })}`;
  if (!withdrawal && !noCode) return nothing;
  return html`<div class="note">
    <p>${words.claimMissing}</p>
    <button type="button" class="second" @click=${again}>${words.claimAgain}</button>
  </div>`;
};

const code = (view: View, { lnurl, expiresOn, warnings }: Withdrawal, help: string): TemplateResult => {
  const { words, language } = view;
  const link = /^lnurl1[02-9ac-hj-np-z]+$/i.test(lnurl) ? `lightning:${lnurl}` : undefined;
  return html`<section class="pay claim">
    <p>${help}</p>
    ${warnings.map((word) => html`<p class="note">${textOf(words.warnings, word, word)}</p>`)}
    <figure>${qrCode(`lightning:${lnurl}`.toUpperCase(), words.qrClaim)}</figure>
    ${link === undefined ? nothing : html`<a class="button first" href=${link}>${words.openWallet}</a>`}
    <button type="button" class="second" @click=${() => view.copy(words.copyCode, lnurl)}>
      ${view.copied === words.copyCode ? words.copied : words.copyCode}
    </button>
    <p class="muted small">${words.claimSecret} ${words.validUntil(showTime(expiresOn, language))}</p>
  </section>`;
};

const summary = (view: View, { id, pays, gets, provider, stage }: OrderState): TemplateResult => {
  const { words } = view;
  const isPaid = way.indexOf(stage) > 0;
  return html`<dl class="summary">
    <div>
      <dt>${isPaid ? words.youPaid : words.youPay}</dt>
      <dd>${money(view, pays)}</dd>
    </div>
    <div>
      <dt>${stage === 'finished' ? words.youGot : words.youGet}</dt>
      <dd>${money(view, gets)}</dd>
    </div>
    <div>
      <dt>${words.fromProvider}</dt>
      <dd>${theirs(provider.name)}</dd>
    </div>
    <div>
      <dt>${words.order}</dt>
      <dd class="id">${id}</dd>
    </div>
  </dl>`;
};

/** Returns the link back to the app that the customer came from. Its query tells the app the order's id and stage. */
const back = ({ returnTo, words }: View, { id, stage }: OrderState): Part => {
  if (returnTo === undefined) return nothing;
  const url = new URL(returnTo);
  url.searchParams.set('order_id', id);
  url.searchParams.set('stage', stage);
  return html`<a class="button ${stage === 'finished' ? 'first' : 'second'}" href=${url.href}>${words.returnTo}</a>`;
};
