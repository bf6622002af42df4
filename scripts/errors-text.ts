/**
 * The text above the table of problems, in Markdown. `npm run gen` writes it into docs/errors.md, and the build shows it on the page /docs/errors,
 * which the member `help` of a problem links to.
 */
export const errorsText = `# Errors

Every error is an RFC 9457 problem document. It always has these members:

- \`code\`: the problem, for your code. It has a row in the table below. \`type\` is \`urn:ramp-gateway:problem:<code>\`.
- \`action\`: what to do next (the column "what to do" of the table).
- \`retryable\`: whether repeating the same request soon may succeed (the column "retry").
- \`detail\`: what is wrong, in a sentence for people.
- \`title\` and \`status\`: what the code means, and the HTTP status, as in the table.
- \`instance\`: the request id, by which the operator of the gateway finds the request.
- \`help\`: the path of the code's row on the gateway's page of errors.

Some problems have further members, such as \`retry_after_ms\`, \`errors[]\` {pointer, detail}, \`limits\`, \`offers\` and \`order_id\`. \`/docs\` lists them for each call.

The values of \`action\`:

- \`fix-request\`: change the request;
- \`reopen-session\`: open a new session;
- \`requote\`: ask for a new price;
- \`read-order\`: read the order, because this quote was already ordered, or because the order is not in the state that you expected;
- \`retry\`: repeat the same request, after \`retry_after_ms\` if that is given;
- \`wait\`: the same request may succeed later: repeat it then, after \`retry_after_ms\` if that is given;
- \`ask-user\`: show \`detail\` to the customer, who must decide or do something;
- \`contact-support\`: only the operator of the gateway can help.

Where the gateway knows more about a case, a response may have another \`action\` or \`retryable\` than the table: follow the response. \`daily-limit-reached\` has the action \`wait\`, but is not retryable, because the limit is renewed only with the next UTC day.
`;
