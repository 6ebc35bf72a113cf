// Models that Hypersphere knows by name: those that are built in, and those that can be fetched when a user asks for
// them. A hash that stands here was computed from the file itself; addresses name a fixed state of a repository.

/** What a model is for. */
export type ModelKind = 'detector' | 'recogniser';

/** A model whose weights come with an npm package that is installed anyway. */
export interface BuiltInModel {
  readonly name: string;
  readonly kind: ModelKind;
  readonly what: string;
  readonly licence: string;
}

const PACKAGE = '@vladmandic/face-api';

export const builtIn: readonly BuiltInModel[] = [
  {
    name: 'face-api',
    kind: 'detector',
    what: `SSD on MobileNet with 68 landmarks, from ${PACKAGE}`,
    licence: 'MIT',
  },
  {
    name: 'face-api-tiny',
    kind: 'detector',
    what: `a smaller network with 68 landmarks, from ${PACKAGE}`,
    licence: 'MIT',
  },
  {
    name: 'dlib-resnet-128',
    kind: 'recogniser',
    what: `dlib's network of 29 convolutions, from ${PACKAGE}`,
    licence: 'public domain, packed under MIT',
  },
];

export interface RegistryFile {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A model that can be installed by its name. */
export interface RegistryModel {
  readonly name: string;
  readonly kind: ModelKind;
  readonly what: string;
  readonly licence: string;
  /** Where it comes from, for people. */
  readonly source: string;
  readonly files: readonly RegistryFile[];
}

const RAW = 'https://raw.githubusercontent.com';

/** Name, size and hash as they are, below one address. */
const files = (base: string, rows: readonly (readonly [string, number, string])[]): RegistryFile[] =>
  rows.map(([name, bytes, sha256]) => ({ name, url: `${base}/${name}`, bytes, sha256 }));

export const registry: readonly RegistryModel[] = [
  {
    name: 'yunet',
    kind: 'detector',
    what: 'YuNet for photographs of any size, five landmarks',
    licence: 'Apache-2.0',
    source: 'https://github.com/ShiqiYu/libfacedetection.train',
    files: files(`${RAW}/ShiqiYu/libfacedetection.train/dca340aa082c71081a68d17db8e58b33a58a914b/onnx`, [
      ['yunet_n_dynamic.onnx', 322906, '104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12'],
    ]),
  },
  {
    name: 'mtcnn',
    kind: 'detector',
    what: "MTCNN's three networks as NumPy dictionaries",
    licence: 'MIT',
    source: 'https://github.com/davidsandberg/facenet',
    files: files(`${RAW}/davidsandberg/facenet/e9d4e8eca95829e5607236fa30a0556b40813f62/src/align`, [
      ['det1.npy', 27368, '3285cf7a3de2651c5784cb9e32013f5919aae95fd1ed1bc371dd9691affb39af'],
      ['det2.npy', 401681, '716b8b83e42476791c9096f14dbb09fefc88bf5c7ec876b1683f9acd52b3f39c'],
      ['det3.npy', 1557360, '396ead803d85d3443307ff8f45fb6aed2536579b415a4f4d4cb8f93ea6b1476a'],
    ]),
  },
  {
    name: 'mtcnn-caffe',
    kind: 'detector',
    what: "MTCNN's three networks as its authors' Caffe files",
    licence: 'MIT',
    source: 'https://github.com/DuinoDu/mtcnn',
    files: files(`${RAW}/DuinoDu/mtcnn/db5bd8f02023f8d37913140fd2bf2749c2dbf266/model`, [
      ['det1.caffemodel', 28163, 'd6085e7f48ba7e6b6f1b58964595f6bce5b97bcc4866751f7b4bdc98f920c096'],
      ['det2.caffemodel', 407910, '39b20f7a57bb8176cc9466cea4dfd52da6a6f876de60c7ab222a309f2d0ca08c'],
      ['det3.caffemodel', 1558412, '9d6098829a4d6d318f37cec42142465637fafe4c673f2e93b69495bf7ca23d2d'],
    ]),
  },
];
