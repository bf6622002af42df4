/** Sends requests as cheaply as possible. With a slower client, a fuzzer would spend half of its time in the client. */
import { Agent, request } from 'undici';

export type Sent = { method: string; path: string; headers: Record<string, string>; body?: string | Uint8Array };
export type Seen = { status: number; headers: Headers; text: string };
export type Client = { send: (sent: Sent) => Promise<Seen>; close: () => Promise<void> };

export const createClient = (url: string): Client => {
  const dispatcher = new Agent({ connections: 64 });
  return {
    send: async ({ method, path, headers, body }) => {
      const answer = await request(url + path, { dispatcher, method: method as 'GET', headers, ...(body === undefined ? {} : { body }) });
      const seen = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) for (const one of [value ?? []].flat()) seen.append(name, one);
      return { status: answer.statusCode, headers: seen, text: await answer.body.text() };
    },
    close: async () => await dispatcher.close(),
  };
};
