/** What a test, a script or a person can make the simulated DFX do. All arguments are JSON, so that `POST /__control` can call the functions. */
import { refuse, type Account, type Books, type Order, type Transaction } from './dfx.simulator-books.ts';
import * as payments from './dfx.simulator-payments.ts';
import type { Fault, PartnerWallet, SimulatorOptions } from './dfx.simulator-state.ts';
import { approve, merge } from './dfx.simulator-users.ts';
import { post, tellAccount } from './dfx.simulator-webhooks.ts';

const found = <T>(one: T | undefined, what: string): T => {
  if (one === undefined) throw new Error(`no ${what}`);
  return one;
};

export const createControl = (books: Books) => {
  const { options, faults } = books;
  const accountOf = (address: string): Account => found(books.users.find((user) => user.address === address)?.account, `user ${address}`);
  const orderOf = (uid: string): Order =>
    found(
      books.orders.find((order) => order.uid === uid),
      `order ${uid}`,
    );
  /** Finds a transaction by its own uid or by its order's. */
  const transactionOf = (uid: string): Transaction =>
    found(
      books.transactions.find((one) => one.uid === uid || one.order?.uid === uid),
      `transaction ${uid}`,
    );
  const uidOf = async (arriving: Promise<Transaction>): Promise<string> => (await arriving).uid;
  return {
    options,
    books,
    requests: books.requests,
    setFault: (fault: Fault): void => faults.set(fault),
    clearFaults: (): void => faults.clear(),
    setOptions: (changed: Partial<SimulatorOptions>): void => void Object.assign(options, changed),
    /** Sets the price of a currency, in hundredths per bitcoin. */
    setPrice: (name: string, price: number): void => {
      found(
        options.currencies.find((one) => one.name === name),
        `currency ${name}`,
      ).price = price;
    },
    setWallet: (name: string, wallet: PartnerWallet): void => void (options.wallets[name] = wallet),
    /** Does what is due by the simulator's clock. */
    catchUp: async (): Promise<void> => await books.catchUp(),

    /** Changes what DFX knows about a customer, and sends the partner a webhook about it. */
    setAccount: async (address: string, changed: Partial<Omit<Account, 'id'>>): Promise<void> => {
      const account = Object.assign(accountOf(address), changed);
      await tellAccount(books, account, account.level === -20 ? 'KycFailed' : 'KycChanged');
    },
    /** The customer fills in the KYC page, and DFX approves. */
    approve: async (address: string): Promise<void> => await approve(books, accountOf(address)),
    /** The account of one address becomes part of the account of another. */
    merge: (address: string, into: string): void => merge(books, accountOf(address), accountOf(into)),

    /**
     * The customer pays an order: `amount` hundredths of the currency (a purchase) or sats (a sale), or the exact amount if it is absent. Returns the
     * transaction's uid.
     */
    pay: async (orderUid: string, amount?: number): Promise<string> => await uidOf(payments.payOrder(books, orderOf(orderUid), amount)),
    /** A bank transfer of `amount` hundredths. An unknown reference makes it `Unassigned`. */
    transfer: async (transfer: payments.Transfer): Promise<string> => await uidOf(payments.receiveTransfer(books, transfer)),
    payInvoice: async (pr: string): Promise<string> => await uidOf(payments.payInvoice(books, pr)),
    /** Moves a transaction to the next of `Processing`, `PayoutInProgress` and `Completed`. `uid` is the transaction's own or its order's. */
    step: async (uid: string): Promise<string> => {
      await payments.step(books, transactionOf(uid));
      return transactionOf(uid).state;
    },
    /** Moves a transaction on until it is completed, on hold or failed. Returns its state. */
    deliver: async (uid: string): Promise<string> => {
      await payments.deliver(books, transactionOf(uid));
      return transactionOf(uid).state;
    },
    /** Puts a transaction into a state such as `CheckPending`, `KycRequired`, `LimitExceeded` or `FeeTooHigh`, until `release`. */
    hold: async (uid: string, state: string, reason?: string): Promise<void> => await payments.hold(books, transactionOf(uid), state, reason),
    release: async (uid: string): Promise<void> => await payments.release(books, transactionOf(uid)),
    /** Sets `ReturnPending` or, when called again, `Returned`. */
    giveBack: async (uid: string): Promise<void> => await payments.giveBack(books, transactionOf(uid)),
    /** Sets any other state, such as `Failed` or `Stopped`. */
    setState: async (uid: string, state: string): Promise<void> => void (await payments.become(books, transactionOf(uid), state)),
    /** Posts a body to the URL for webhooks, as a stranger might, or DFX itself much later. */
    forge: async (url: string, body: object, key?: string): Promise<void> => await post(books, { url, key, body: JSON.stringify(body) }),
  };
};
export type SimulatorControl = ReturnType<typeof createControl>;

/**
 * Calls the function of the control object that `do` names, with `args`. Returns its result and what happened so far, without the headers of the
 * requests. `do: "look"` calls nothing.
 */
export const runCommand = async (books: Books, control: SimulatorControl, command: unknown): Promise<Response> => {
  const { do: name, args = [] } = command as { do: string; args?: unknown[] };
  const action: unknown = Object.hasOwn(control, name) ? control[name as keyof SimulatorControl] : undefined;
  if (typeof action !== 'function' && name !== 'look') return refuse(404, `no ${name}`);
  try {
    const result: unknown = typeof action === 'function' ? await (action as (...all: unknown[]) => unknown)(...args) : undefined;
    const orders = books.orders.map(({ id, uid, route, isConfirmed, isValid, transaction }) => ({
      id,
      uid,
      ramp: route.ramp,
      reference: route.reference,
      isConfirmed,
      isValid,
      transaction: transaction?.uid,
    }));
    const transactions = books.transactions.map(({ uid, ramp, state }) => ({ uid, ramp, state }));
    const customers = books.users.map(({ address, account }) => ({ address, mail: account.mail, level: account.level, approved: account.approved }));
    const requests = books.requests.map(({ headers: _headers, ...rest }) => rest);
    return Response.json({ ok: true, result, requests, customers, orders, transactions, mails: books.mails, payouts: books.payouts });
  } catch (error) {
    return refuse(400, error instanceof Error ? error.message : 'failed');
  }
};
