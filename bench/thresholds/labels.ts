// What is known of the labels of celeba-wild-112: people who are left out when thresholds are measured, and why.
export const LEFT_OUT: readonly { people: readonly string[]; why: string }[] = [
  {
    people: ['7398', '7261', '7448', '7354', '7281', '7457', '7439', '7304'],
    why: 'they resemble people of LFW, which is for evaluation',
  },
  {
    people: ['7393'],
    why: 'the person of 7392 under a second label',
  },
  {
    people: ['7312', '7314', '7317', '7319'],
    why: 'labels that share photographs, some of them the same file',
  },
];
