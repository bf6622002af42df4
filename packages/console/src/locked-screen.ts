/** Asks for the token. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Desk } from './desk.ts';
import { fieldsOf } from './parts.ts';

export const lockedScreen = (desk: Desk): TemplateResult => {
  const { isWorking, whyLocked } = desk.state();
  const send = (event: SubmitEvent): void => {
    const token = fieldsOf(event)('token');
    (event.target as HTMLFormElement).reset();
    if (token !== '') void desk.unlock(token);
  };
  return html`<main class="locked">
    <h1 tabindex="-1">The operator's console</h1>
    <form @submit=${send}>
      ${whyLocked === undefined ? nothing : html`<p class="note bad" role="alert">${whyLocked}</p>`}
      <label for="token">Operator's token</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" maxlength="256" required />
      <button class="first" ?disabled=${isWorking}>${isWorking ? 'Opening …' : 'Open'}</button>
      <p class="muted">
        The token stays in the memory of this page: a reload forgets it. What you read and do is recorded under it.
        <code>npm run keys -- rotate operator</code> makes one; the sandbox prints one when it starts.
      </p>
    </form>
  </main>`;
};
