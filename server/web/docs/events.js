// On a narrow screen the contents would fill the first page: fold them.
if (matchMedia("(max-width: 56rem)").matches) {
  document.querySelector(".contents").open = false;
}
