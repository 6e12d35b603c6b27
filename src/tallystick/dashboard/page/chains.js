// Names, coins and explorers of chains, as evmchains 0.1.10 (PyPI) has them; a test compares.

const CHAINS = {
  1: ["Ethereum Mainnet", "ETH", "https://etherscan.io"],
  10: ["OP Mainnet", "ETH", "https://optimistic.etherscan.io"],
  56: ["BNB Smart Chain Mainnet", "BNB", "https://bscscan.com"],
  100: ["Gnosis", "XDAI", "https://gnosisscan.io"],
  137: ["Polygon Mainnet", "POL", "https://polygonscan.com"],
  324: ["zkSync Mainnet", "ETH", "https://explorer.zksync.io"],
  8453: ["Base", "ETH", "https://basescan.org"],
  42161: ["Arbitrum One", "ETH", "https://arbiscan.io"],
  43114: ["Avalanche C-Chain", "AVAX", "https://snowscan.xyz"],
  59144: ["Linea", "ETH", "https://lineascan.build"],
  81457: ["Blast", "ETH", "https://blastscan.io"],
  84532: ["Base Sepolia Testnet", "ETH", "https://sepolia.basescan.org"],
  534352: ["Scroll", "ETH", "https://scrollscan.com"],
  11155111: ["Ethereum Sepolia", "ETH", "https://sepolia.etherscan.io"],
};
// Anvil's own; what it mines is called ether, and nobody explores it.
const LOCAL = { 31337: ["Local chain", "ETH", ""] };

function of(chain) {
  return CHAINS[chain] ?? LOCAL[chain];
}

export function chainName(chain) {
  return of(chain)?.[0] ?? `Chain ${chain}`;
}

export function coin(chain) {
  return of(chain)?.[1] ?? "of the chain's currency";
}

// Where an explorer tells of a transaction or an address; null where none is known.
export function explorer(chain, kind, value) {
  const site = of(chain)?.[2];
  return site ? `${site}/${kind}/${value}` : null;
}
