// What the tables of reasons consist of: for each reason word what follows, the type of its event, its exact text and a line of
// documentation. Holds no reason itself.

/**
 * What follows: the CSR waits, is Failed for good, is tried again, is signed, is refused at admission, stays pending for good; an
 * issuer is ready.
 */
export type Outcome = 'wait' | 'fail' | 'retry' | 'issue' | 'deny' | 'stuck' | 'ready';

type Text = (...values: never[]) => string;

/** `message` gives the text of event and condition alike; `doc` says in one line what it means and what to do. */
export const normal = <Message extends Text>(outcome: Outcome, message: Message, doc: string) =>
  ({ outcome, eventType: 'Normal', message, doc }) as const;

export const warning = <Message extends Text>(outcome: Outcome, message: Message, doc: string) =>
  ({ outcome, eventType: 'Warning', message, doc }) as const;
