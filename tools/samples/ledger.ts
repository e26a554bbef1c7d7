import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { answer, failed, object, type SampleTool, sampleServer, text } from './serve.ts';

/** A small accounts-payable ledger over stdio. State lives in memory; every tool needs the key in LEDGER_KEY. */

interface Invoice {
  readonly invoice: string;
  readonly supplier: string;
  readonly order: string;
  readonly iban: string;
  readonly amount: number;
  readonly currency: string;
}
const invoices: readonly Invoice[] = [
  { invoice: 'INV-7', supplier: 'Nordwind Papier GmbH', order: 'PO-1042', iban: 'DE02120300000000202051', amount: 600, currency: 'EUR' },
  { invoice: 'INV-8', supplier: 'Blaumeer Logistik GmbH', order: 'PO-1043', iban: 'DE02500105170137075030', amount: 120.5, currency: 'EUR' },
  { invoice: 'INV-9', supplier: 'Alpenglas AG', order: 'PO-1051', iban: 'CH9300762011623852957', amount: 4_200, currency: 'EUR' },
];

interface Payment {
  readonly id: string;
  readonly invoice: string;
  readonly iban: string;
  readonly amount: number;
  readonly memo: string;
}
const payments: Payment[] = [];

const invoiceNumber = { type: 'string', pattern: '^INV-[0-9]{1,8}$', description: 'Invoice number, such as INV-7' } as const;
const payment = object({ id: text, invoice: text, iban: text, amount: { type: 'number' }, memo: text });

function needsKey(run: SampleTool['run']): SampleTool['run'] {
  return (args) => (process.env['LEDGER_KEY'] ? run(args) : failed('No key: the ledger needs LEDGER_KEY'));
}

const tools: readonly SampleTool[] = [
  {
    definition: {
      name: 'post_payment',
      title: 'Post a payment',
      description: 'Pays an invoice by bank transfer. Cannot be undone.',
      inputSchema: object(
        {
          invoice: invoiceNumber,
          iban: { type: 'string', description: 'Account that receives the money' },
          amount: { type: 'number', exclusiveMinimum: 0, description: 'Euro' },
          memo: { type: 'string', maxLength: 140, description: 'Text on the bank statement' },
        },
        ['invoice', 'iban', 'amount'],
      ),
      outputSchema: payment,
      annotations: { destructiveHint: true, idempotentHint: false },
    },
    run: needsKey(({ invoice, iban, amount, memo }) => {
      const posted = {
        id: `PAY-${payments.length + 1}`,
        invoice: String(invoice),
        iban: String(iban),
        amount: Number(amount),
        memo: String(memo ?? ''),
      };
      payments.push(posted);
      return answer(posted);
    }),
  },
  {
    definition: {
      name: 'get_invoice',
      title: 'Read an invoice',
      description: 'Supplier, order, account and amount of one invoice.',
      inputSchema: object({ invoice: invoiceNumber }),
      outputSchema: object({ invoice: text, supplier: text, order: text, iban: text, amount: { type: 'number' }, currency: text }),
      annotations: { readOnlyHint: true },
    },
    run: needsKey(({ invoice }) => {
      const found = invoices.find((candidate) => candidate.invoice === invoice);
      return found === undefined ? failed('There is no such invoice') : answer({ ...found });
    }),
  },
  {
    definition: {
      name: 'list_payments',
      title: 'List payments',
      description: 'All payments posted since the ledger started.',
      inputSchema: object({}),
      outputSchema: object({ payments: { type: 'array', items: payment } }),
      annotations: { readOnlyHint: true },
    },
    run: needsKey(() => answer({ payments: payments.map((posted) => ({ ...posted })) })),
  },
];

serveStdio(() => sampleServer('sample-ledger', tools));
