import { html, nothing, type TemplateResult } from 'lit';
import type { PaymentOption } from '@ramp-gateway/client';
import { readAmount, showMoney } from './amounts.ts';
import { money, problem, theirs, unknown, waiting, type Part } from './parts.ts';
import type { View } from './view.ts';

export const amountScreen = (view: View): TemplateResult => {
  const { state, words, form, edit, flow } = view;
  const { currencies, currency, options, chosen } = choiceOf(view);
  const { unresolved: offerIds } = state;
  const trouble = state.trouble ? problem(view, state.trouble, state.options ? undefined : { label: words.tryAgain, run: () => void flow.begin() }) : nothing;
  if (offerIds.length > 0) return html`${openOrders(view)}${trouble}${unknown(view, { text: words.unsure(), offerIds, again: () => void flow.start() })}`;
  if (state.options === undefined) return html`${openOrders(view)}${trouble}${waiting(view)}`;
  if (state.options.length === 0)
    return html`${openOrders(view)}${trouble}
      <p class="note">${words.noOptions}</p>`;
  return html`${openOrders(view)}
    <form
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        compare(view);
      }}
    >
      <label class="label" for="amount">${words.youPay}</label>
      <div class="amount">
        <input
          id="amount"
          inputmode="decimal"
          autocomplete="off"
          .value=${form.amount}
          aria-invalid=${form.mistake === undefined ? 'false' : 'true'}
          aria-describedby="mistake limits"
          @input=${(event: Event) => edit({ amount: (event.target as HTMLInputElement).value, mistake: undefined })}
        />
        <select aria-label=${words.currency} @change=${(event: Event) => edit({ currency: (event.target as HTMLSelectElement).value, mistake: undefined })}>
          ${currencies.map((one) => html`<option value=${one} ?selected=${one === currency}>${one}</option>`)}
        </select>
      </div>
      <p id="mistake" class="mistake">${form.mistake ?? nothing}</p>
      <fieldset>
        <legend class="label">${words.howYouPay}</legend>
        ${options.map(
          (one) =>
            html`<label class="way">
              <input type="radio" name="by" value=${one.name} .checked=${one === chosen} @change=${() => edit({ by: one.name, mistake: undefined })} />
              <span>${theirs(one.name)}</span><span class="muted small">${limits(view, one)}</span>
            </label>`,
        )}
      </fieldset>
      ${trouble} ${state.working ? waiting(view) : html`<button class="first">${words.compare}</button>`}
    </form>`;
};

/**
 * Returns the chosen currency and way to pay. Defaults: euros if they are offered, otherwise the first currency; and that currency's first way to
 * pay.
 */
const choiceOf = ({ state, form }: View) => {
  const known = state.options ?? [];
  const currencies = [...new Set(known.map(({ currency }) => currency))];
  const currency = currencies.find((one) => one === form.currency) ?? currencies.find((one) => one === 'EUR') ?? currencies[0];
  const options = known.filter((one) => one.currency === currency);
  const wanted = form.by?.toLowerCase();
  return { currencies, currency, options, chosen: options.find(({ name }) => name.toLowerCase() === wanted) ?? options[0] };
};

const limits = ({ words, language }: View, { min, max }: PaymentOption): Part | string => {
  const [least, most] = [min && showMoney(min, language), max && showMoney(max, language)];
  if (least !== undefined) return most === undefined ? words.from(least) : words.fromTo(least, most);
  return most === undefined ? nothing : words.upTo(most);
};

const compare = (view: View): void => {
  const { words, language, form, flow, edit } = view;
  const { chosen } = choiceOf(view);
  if (!chosen) return;
  const pay = readAmount(form.amount, language);
  const mistake = pay === undefined ? words.amountInvalid(language === 'de' ? '100 oder 99,50' : '100 or 99.50') : outside(view, chosen, pay);
  edit({ mistake });
  if (mistake === undefined && pay !== undefined) void flow.compare({ pay, currency: chosen.currency, by: chosen.name });
};

const outside = ({ words, language }: View, { min, max }: PaymentOption, pay: string): string | undefined => {
  const [whole = '', part = ''] = pay.split('.');
  const units = BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'));
  if (min && units < min.units) return words.amountBelow(showMoney(min, language));
  return max && units > max.units ? words.amountAbove(showMoney(max, language)) : undefined;
};

const openOrders = (view: View): Part => {
  const { state, words, flow } = view;
  if (state.open.length === 0) return nothing;
  return html`<section class="open">
    <h2>${words.openOrders}</h2>
    <ul>
      ${state.open.map(
        (order) =>
          html`<li>
            <button type="button" class="row" @click=${() => void flow.show(order)}>
              <span>${money(view, order.pays)} → ${theirs(order.provider.name)}</span
              ><span class="muted small">${words.stages[order.stage] ?? words.stageUnknown}</span>
            </button>
          </li>`,
      )}
    </ul>
  </section>`;
};
