/** What waits for me? Everything that needs a person, with its age and the action that settles it. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Attention } from './api.ts';
import type { Desk } from './desk.ts';
import { sendButton } from './order-screen.ts';
import { age, label, link, nameOf, orderTable, table, theirs, time, type Part } from './parts.ts';
import { plain } from './show.ts';
import { faults, groups, textOf } from './words.ts';

export const waitingScreen = (desk: Desk): TemplateResult => {
  const { attention, trouble } = desk.state().sheet;
  if (!attention)
    return html`<h1 tabindex="-1">What waits for me?</h1>
      ${trouble === undefined ? html`<p class="muted" role="status">Reading …</p>` : html`<p class="note bad" role="alert">${trouble}</p>`}`;
  const names = (Object.keys(groups) as (keyof Attention)[]).filter((name) => attention[name].length > 0);
  return html`<h1 tabindex="-1">What waits for me?</h1>
    ${names.length === 0 ? html`<p class="note good" role="status">Nothing waits for you.</p>` : nothing} ${names.map((name) => group(desk, attention, name))}`;
};

/** The gateway lists at most this many of each kind. */
const most = 100;
const group = (desk: Desk, attention: Attention, name: keyof Attention): TemplateResult => {
  const { title, help } = groups[name];
  const { length } = attention[name];
  return html`<section aria-labelledby="group-${name}">
    <h2 id="group-${name}">${title} <span class="count">${length >= most ? `${most} or more` : length}</span></h2>
    <p class="muted">${help}</p>
    ${rows(desk, attention, name, title)}
  </section>`;
};

const rows = (desk: Desk, attention: Attention, name: keyof Attention, title: string): Part => {
  switch (name) {
    case 'review':
    case 'late':
    case 'unknown':
    case 'disputed':
    case 'twins':
      return orderTable(desk, attention[name], title);
    case 'claims_in_review':
      return html`<ul>
        ${attention[name].map((id) => html`<li>${link({ screen: 'order', id }, html`<code>${id}</code>`)}</li>`)}
      </ul>`;
    case 'dead_letters':
    case 'failing_webhooks':
      return webhookTable(desk, attention[name], title);
    case 'ill_providers':
      return html`<ul>
        ${attention[name].map((one) => {
          const off = Object.entries(one.circuits).filter(([, state]) => state !== 'closed');
          return html`<li>
            ${link({ screen: 'providers', provider: one.provider }, theirs(nameOf(desk, one.provider)))}
            ${off.map(([operation, state]) => html`${label(`${operation}: ${plain(state)}`, 'bad')} `)}
            ${one.last_fault === undefined ? nothing : html`${textOf(faults, one.last_fault.reason)} (${age(desk, one.last_fault.on)})`}
          </li>`;
        })}
      </ul>`;
    case 'switches':
      return html`<ul>
        ${attention[name].map(
          (one) =>
            html`<li>
              ${switched(one.name)} has been <strong>${one.mode}</strong> since ${time(desk, one.set_on)}, set by ${one.set_by}:
              ${theirs(one.reason)}${one.until === undefined ? nothing : html`, until ${time(desk, one.until)}`}
            </li>`,
        )}
      </ul>`;
    case 'keys_in_rotation':
      return html`<ul>
        ${attention[name].map(({ purpose, keys }) => html`<li>${purpose}: ${keys.map((key) => html`<code>${key}</code> `)}</li>`)}
      </ul>`;
    default:
      return name satisfies never;
  }
};

const switched = (name: string): TemplateResult | string => {
  const [, provider] = /^provider\/(.+)$/.exec(name) ?? [];
  return provider === undefined ? name : link({ screen: 'providers', provider }, provider);
};

const webhookTable = (desk: Desk, list: Attention['dead_letters'] | Attention['failing_webhooks'], title: string): TemplateResult =>
  table(
    title,
    ['Event', 'About', 'To', { number: 'Tries' }, 'Last outcome', 'Age', 'Action'],
    list.map(
      (one) =>
        html`<tr>
          <td>${one.type}</td>
          <td>
            ${isAboutOrder(one.type) ? link({ screen: 'order', id: one.subject_id }, html`<code>${one.subject_id}</code>`) : html`<code>${one.subject_id}</code>`}
          </td>
          <td>${theirs(one.host)}</td>
          <td class="number">${one.attempts}</td>
          <td>${theirs(one.last_outcome ?? '–')}</td>
          <td>${age(desk, one.created_on)}</td>
          <td>${sendButton(desk, one)}</td>
        </tr>`,
    ),
  );

/** Every other event is about an account, a connection, or a payment without an order, none of which has a screen of its own. */
const isAboutOrder = (type: string): boolean => type === 'withdrawal_ready' || type.startsWith('order_');
