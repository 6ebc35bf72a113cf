// Who is who in some photographs: faces found, aligned and embedded, and every two of them compared.
// Run it with: npx tsx examples/same-person.ts [photograph ...]
import {
  alikePairs,
  decisionFor,
  faceLimits,
  openReader,
  samplePhotographs,
  similaritiesOf,
} from '../src/index.js';

const given = process.argv.slice(2);
const paths = given.length > 0 ? given : samplePhotographs().slice(0, 3);
const reader = await openReader();
const { threshold } = decisionFor(reader.manifest, { fmr: 0.001 });
const limits = faceLimits(reader.detector);

const faces = [];
for await (const photograph of reader.read(paths, { choice: 'all' })) {
  if ('problem' in photograph) console.error(photograph.problem);
  else
    for (const [i, face] of photograph.faces.entries())
      faces.push({
        ...face,
        photograph: paths.indexOf(photograph.path),
        name: `face ${i + 1} of ${photograph.path}`,
      });
}
await reader.close();

console.log(`${faces.length} faces; the same person from a similarity of ${threshold.toFixed(3)} on`);
for (const { a, b, similarity, decision, reasons } of alikePairs(faces, similaritiesOf(faces), {
  threshold,
  limits,
})) {
  const why = reasons.map(({ message }) => message).join(', ');
  console.log(
    `${faces[a]!.name} and ${faces[b]!.name}: ${similarity.toFixed(3)}${decision === 'same' ? '' : `, but ${why}`}`,
  );
}
