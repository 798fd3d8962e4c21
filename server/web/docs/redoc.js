// Loaded before ReDoc, to keep it within this page's content security policy.

// With workers its search evaluates text as code; without, it searches on the page itself.
delete globalThis.Worker;

// It shows its maker's logo from the maker's server. Nothing here asks others, so it gets a picture of ours,
// whether it sets the attribute or the property.
const image = HTMLImageElement.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
const ours = (address) =>
  address.startsWith("data:") || new URL(address, location.href).origin === location.origin
    ? address
    : "/assets/redoc.svg";
Object.defineProperty(image, "src", {
  get,
  set(address) {
    set.call(this, ours(address));
  },
});
image.setAttribute = function (name, value) {
  Element.prototype.setAttribute.call(this, name, name === "src" ? ours(value) : value);
};
