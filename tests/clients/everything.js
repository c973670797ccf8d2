// Writes an operation for each field at the root of a schema, which selects whatever there is below it: food for the
// clients' code generators and linters.
//
//   node everything.js ../../schema.graphql > everything.graphql

import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, isAbstractType, isLeafType } from 'graphql';

const DEPTH = 3;
const schema = buildSchema(readFileSync(process.argv[2], 'utf8'));
const possible = (type) => (isAbstractType(type) ? schema.getPossibleTypes(type) : [type]);

/** All of a type's fields; those whose type is being selected already are left out, and so are the deepest ones. */
function select(type, above, variables) {
  const own = isAbstractType(type) ? { ...type.getFields?.() } : type.getFields();
  const fields = Object.values(own).flatMap((field) => selectField(field, [...above, type.name], variables));
  const kinds = isAbstractType(type)
    ? possible(type).map((kind) => {
        const inner = Object.values(kind.getFields())
          .filter((field) => !(field.name in own))
          .flatMap((field) => selectField(field, [...above, type.name, kind.name], variables, `${kind.name}_`));
        return inner.length ? `... on ${kind.name} { ${inner.join(' ')} }` : '';
      })
    : [];
  return ['__typename', ...fields, ...kinds.filter(Boolean)].join(' ');
}

function selectField(field, above, variables, prefix = '') {
  const type = getNamedType(field.type);
  if (above.includes(type.name) || (!isLeafType(type) && above.length > DEPTH)) return [];
  // Only at the root is everything that can be said said: further down the defaults will do.
  const needed = field.args.filter((arg) => above.length === 0 || (String(arg.type).endsWith('!') && arg.defaultValue === undefined));
  const given = needed.map((arg) => {
    const name = `v${variables.length}`;
    variables.push(`$${name}: ${arg.type}`);
    return `${arg.name}: $${name}`;
  });
  const call = `${prefix ? `${prefix}${field.name}: ` : ''}${field.name}${given.length ? `(${given.join(', ')})` : ''}`;
  return [isLeafType(type) ? call : `${call} { ${select(type, above, variables)} }`];
}

for (const [kind, root] of [
  ['query', schema.getQueryType()],
  ['mutation', schema.getMutationType()],
  ['subscription', schema.getSubscriptionType()],
]) {
  for (const field of Object.values(root.getFields())) {
    const variables = [];
    const [selection] = selectField(field, [], variables);
    const name = `${field.name[0].toUpperCase()}${field.name.slice(1)}${kind[0].toUpperCase()}${kind.slice(1)}`;
    console.log(`${kind} ${name}${variables.length ? `(${variables.join(', ')})` : ''} { ${selection} }\n`);
  }
}
