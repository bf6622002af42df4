import { html, nothing, type TemplateResult } from 'lit';
import type { NotOffered, Offer } from '@ramp-gateway/client';
import { showBps, showCountdown, showDuration, showMoney } from './amounts.ts';
import { isolated, money, problem, theirs, unknown, waiting, type Part } from './parts.ts';
import type { View } from './view.ts';
import { textOf } from './words.ts';

export const offersScreen = (view: View): TemplateResult => {
  const { state, words, flow, now } = view;
  const { offers, query, unsure, instead, unresolved } = state;
  const all = offers?.all ?? [];
  const endsMs = Math.min(...all.map(({ acceptBy }) => acceptBy.getTime()));
  const isOver = all.length > 0 && endsMs <= now;
  const again = (): void => void (query && flow.compare(query));
  if (unsure) {
    const text = words.unsure(isolated(unsure.provider.name));
    return html`${asked(view)}${state.trouble ? problem(view, state.trouble) : nothing}${unknown(view, { text, offerIds: [unsure.id], again: () => void flow.order(unsure) })}`;
  }
  // An offer that was ordered elsewhere, such as in another tab, may have become an order.
  if (unresolved.length > 0)
    return html`${state.trouble ? problem(view, state.trouble) : nothing}${unknown(view, { text: words.unsure(), offerIds: unresolved, again: () => void flow.start() })}`;
  return html`${asked(view)} ${instead && all.length > 0 ? html`<p class="note">${words.instead(isolated(instead.provider.name))}</p>` : nothing}
    ${state.trouble ? problem(view, state.trouble, state.trouble.action === 'requote' ? { label: words.newPrices, run: again } : undefined) : nothing}
    ${all.length === 0 ? none(view, again) : nothing} ${isOver && !state.working ? over(view, again) : nothing} ${waiting(view)}
    <ol class="offers">
      ${all.map((offer) => card(view, offer, isOver))}
    </ol>
    ${all.length > 0 && !isOver ? html`<p class="muted small center" role="timer" aria-live="off">${words.pricesHold(showCountdown(endsMs - now))}</p>` : nothing}
    ${all.length > 0 ? others(view) : nothing}`;
};

const asked = ({ state, words, language, flow }: View): Part => {
  const { query } = state;
  if (!query) return nothing;
  const pays = showMoney({ text: query.pay, currency: query.currency }, language);
  return html`<div class="asked">
    <span>${pays} · ${theirs(query.by)}</span>
    ${
      // While it is not known whether there is an order, nothing else may be ordered.
      state.unsure
        ? nothing
        : html`<button type="button" class="quiet" ?disabled=${state.working === 'ordering'} @click=${() => void flow.begin()}>${words.change}</button>`
    }
  </div>`;
};

const card = (view: View, offer: Offer, isOver: boolean): TemplateResult => {
  const { state, words, language, flow } = view;
  const best = state.offers?.best;
  const isBest = offer === best;
  const less = best && !isBest && best.gets.units > offer.gets.units ? best.gets.units - offer.gets.units : undefined;
  const { arrival_seconds: seconds } = offer.raw;
  const facts = [
    offer.costBps === undefined ? words.fee(money(view, offer.fee)) : words.cost(showBps(offer.costBps, language)),
    ...(typeof seconds === 'number' ? [words.arrives(showDuration(seconds, language))] : []),
  ];
  return html`<li class=${isBest ? 'offer best' : 'offer'}>
    <div class="line">
      <h2>${theirs(offer.provider.name)}</h2>
      ${isBest ? html`<span class="badge">${words.best}</span>` : nothing} ${offer.binding ? nothing : html`<span class="badge soft">${words.estimate}</span>`}
    </div>
    <div class="line">
      <div class="gets">
        <strong>${offer.binding ? '' : '≈ '}${money(view, offer.gets)}</strong>
        <span class="muted small"
          >${less === undefined ? nothing : html`${words.less(showMoney({ text: String(less), currency: 'sat' }, language))} · `}${facts.join(' · ')}</span
        >
      </div>
      <button
        type="button"
        class=${isBest ? 'first' : 'second'}
        aria-label=${words.buyFrom(isolated(offer.provider.name))}
        ?disabled=${isOver || state.working !== undefined}
        @click=${() => void flow.order(offer)}
      >
        ${words.buy}
      </button>
    </div>
    ${offer.binding ? nothing : html`<p class="muted small">${words.estimateLong}</p>`}
    ${offer.warnings.map((word) => html`<p class="small warn">${textOf(words.warnings, word, word)}</p>`)}
  </li>`;
};

const over = ({ words }: View, again: () => void): TemplateResult =>
  html`<div class="note">
    <p>${words.pricesGone}</p>
    <button type="button" class="first" @click=${again}>${words.newPrices}</button>
  </div>`;

const none = (view: View, again: () => void): Part => {
  const { words, state } = view;
  if (state.working) return nothing;
  return html`<div class="note">
    <h2>${words.noOffer}</h2>
    <p>${words.noOfferHelp}</p>
    ${reasons(view, state.offers?.not ?? [])}
    <button type="button" class="second" @click=${again}>${words.tryAgain}</button>
  </div>`;
};

const others = (view: View): Part => {
  const not = view.state.offers?.not ?? [];
  return not.length === 0
    ? nothing
    : html`<details>
        <summary>${view.words.notOffered(not.length)}</summary>
        ${reasons(view, not)}
      </details>`;
};
const reasons = (view: View, not: readonly NotOffered[]): TemplateResult =>
  html`<ul class="reasons">
    ${not.map((one) => html`<li><strong>${theirs(one.provider.name)}</strong> ${textOf(view.words.reasons, one.reason, one.reason)} ${limit(view, one)}</li>`)}
  </ul>`;
const limit = (view: View, { min, max }: NotOffered): string =>
  min ? `(${view.words.from(money(view, min))})` : max ? `(${view.words.upTo(money(view, max))})` : '';
