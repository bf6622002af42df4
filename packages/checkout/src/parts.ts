/** The parts that several screens share. */
import { html, nothing, type TemplateResult } from 'lit';
import { showMoney } from './amounts.ts';
import type { Trouble } from './flow.ts';
import type { View } from './view.ts';
import { textOf } from './words.ts';

export type Part = TemplateResult | typeof nothing;

/** Shows a provider's text. It may be written from right to left, and is never HTML. */
export const theirs = (text: string): TemplateResult => html`<bdi>${text}</bdi>`;

/** Encloses a provider's text, inside a sentence, in Unicode's isolate characters: it may be written from right to left. */
export const isolated = (text: string): string => `\u2068${text}\u2069`;

export const money = (view: View, amount: Parameters<typeof showMoney>[0] | undefined): string => (amount ? showMoney(amount, view.language) : '–');

/** Shows what the customer is waiting for. */
export const waiting = ({ state, words, flow }: View): Part => {
  const { working } = state;
  if (working === undefined) return nothing;
  const text = { loading: words.loading, comparing: words.comparing, ordering: words.ordering, withdrawing: words.fetching }[working];
  // Only a comparison can be stopped: an order that was sent stays sent, even if the customer stops waiting.
  const stop = working === 'comparing' ? html`<button type="button" class="quiet" @click=${flow.cancel}>${words.cancel}</button>` : nothing;
  return html`<div class="waiting">
    <span class="spinner" aria-hidden="true"></span
    ><span>${text}${state.isSlow ? html` <span class="muted">${words.slow[working]}</span>` : nothing}</span>${state.isSlow ? stop : nothing}
  </div>`;
};

/** Shows what went wrong, and a button for what to do next if `next` is given. */
export const problem = (view: View, trouble: Trouble, next?: { label: string; run: () => void }): TemplateResult => {
  const { words } = view;
  const { code, action, message, requestId, isStranger } = trouble;
  const text = isStranger ? words.stranger : isInReview(trouble) ? words.inReview : textOf(words.problems, code, message);
  return html`<div class="note bad">
    <p>${text}</p>
    ${requestId !== undefined && (isStranger || action === 'contact-support') ? html`<p class="muted small">${words.requestId(requestId)}</p>` : nothing}
    ${next ? html`<button type="button" class="second" @click=${next.run}>${next.label}</button>` : nothing} ${isStranger ? startAnew(view) : nothing}
  </div>`;
};

/** Lists the orders that the customer would lose by beginning anew, with the button to do so. */
const startAnew = (view: View): TemplateResult => {
  const { words, state, flow } = view;
  const { order, open, working } = state;
  const known = [...(order ? [order] : []), ...open.filter(({ id }) => id !== order?.id)];
  return html`<details>
    <summary>${words.anew}</summary>
    <p>${words.anewHelp}</p>
    ${
      known.length === 0
        ? nothing
        : html`<ul>
            ${known.map(({ id, pays, provider }) => html`<li>${money(view, pays)} → ${theirs(provider.name)} <span class="id">${id}</span></li>`)}
          </ul>`
    }
    <button type="button" class="second" ?disabled=${working !== undefined} @click=${() => void flow.forget()}>${words.anewConfirm}</button>
  </details>`;
};

/**
 * Returns whether only the operator can find out what became of an order attempt. Otherwise, an order that cannot be paid may be replaced at once.
 */
const isInReview = ({ code, action }: Trouble): boolean => code === 'order-unpayable' && action === 'contact-support';

/** Shows that the offers `offerIds` may or may not have become orders. The customer may ask again, or give them up. */
export const unknown = (view: View, { text, offerIds, again }: { text: string; offerIds: readonly string[]; again: () => void }): TemplateResult => {
  const { words, state, flow } = view;
  return html`<div class="note bad">
      <p>${text}</p>
      ${
        state.working
          ? nothing
          : html`<div class="actions">
              <button type="button" class="first" @click=${again}>${words.askAgain}</button>
              <button type="button" class="quiet" @click=${() => void flow.giveUp(offerIds)}>${words.giveUp}</button>
            </div>`
      }
    </div>
    ${waiting(view)}`;
};

export const copyButton = (view: View, name: string, text: string): TemplateResult =>
  html`<button type="button" class="copy" aria-label=${view.words.copyOf(name)} @click=${() => view.copy(name, text)}>
    ${view.copied === name ? view.words.copied : view.words.copy}
  </button>`;
