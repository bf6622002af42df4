/** Where is order X? One field for anything, and the list of what it found. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Desk } from './desk.ts';
import { fieldsOf, orderTable, type Part } from './parts.ts';
import { hashOf, lists, type List } from './place.ts';
import { plain, showTime } from './show.ts';

export const findScreen = (desk: Desk): TemplateResult => {
  const { place } = desk.state();
  return html`<h1 tabindex="-1">${place.screen === 'list' ? listTitle(place.list, place.provider) : 'Where is the order?'}</h1>
    ${place.screen === 'find' ? searchField(desk) : nothing} ${results(desk)}
    <nav aria-label="Lists of orders">
      <ul class="row">
        ${lists.map((list) => html`<li><a class="button" href=${hashOf({ screen: 'list', list })}>${plain(list)}</a></li>`)}
      </ul>
    </nav>`;
};

const listTitle = (list: List, provider: string | undefined): string => `Orders: ${plain(list)}${provider === undefined ? '' : ` at ${provider}`}`;

export const searchField = (desk: Desk): TemplateResult => {
  const search = async (event: SubmitEvent): Promise<void> => {
    const words = fieldsOf(event)('words');
    if (words === '') return;
    if (desk.state().place.screen !== 'find') history.pushState(null, '', hashOf({ screen: 'find' }));
    const only = await desk.find(words);
    if (only !== undefined) location.hash = hashOf({ screen: 'order', id: only });
  };
  return html`<form class="search" role="search" @submit=${search}>
    <label for="words"
      >Order, quote, attempt or request id; payment reference; the provider's order id; customer; amount ("100 EUR"); day ("2026-11-29"); any of these with a
      day after it</label
    >
    <div class="row">
      <input id="words" name="words" maxlength="256" autocomplete="off" spellcheck="false" required />
      <button class="first" ?disabled=${desk.state().isWorking}>Find</button>
    </div>
  </form>`;
};

const results = (desk: Desk): Part => {
  const { sheet, isWorking, overview } = desk.state();
  const { found, trouble } = sheet;
  if (trouble !== undefined) return html`<p class="note bad" role="alert">${trouble}</p>`;
  if (!found) return isWorking && overview ? html`<p class="muted" role="status">Searching …</p>` : nothing;
  const { rows, next, amountsFrom, pricesFrom } = found;
  const since =
    amountsFrom === undefined
      ? nothing
      : html` Only orders since ${showTime(amountsFrom).slice(0, 10)} were searched for amounts: add a day to find older ones.`;
  if (rows.length === 0) {
    const priced =
      pricesFrom === undefined
        ? nothing
        : html` The id of a request for prices is searched only since ${showTime(pricesFrom).slice(0, 10)}: if it is older, add its day.`;
    return html`<p class="note" role="status">No order was found.${since}${priced}</p>`;
  }
  return html`<p role="status">
      ${next === undefined ? `${rows.length === 1 ? 'One order' : `${rows.length} orders`}, the newest first.` : `These are the newest ${rows.length} orders. There are more: narrow the search, or show more.`}${since}
    </p>
    ${orderTable(desk, rows, 'Orders that were found')}
    ${next === undefined ? nothing : html`<p><button type="button" ?disabled=${isWorking} @click=${() => void desk.more()}>Show more</button></p>`}`;
};
