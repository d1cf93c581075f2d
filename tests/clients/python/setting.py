"""What the Python clients have in common."""
import os

import httpx

url, customer, image = os.environ["BASE_URL"], os.environ["CUSTOMER"], os.environ["IMAGE"]
authorization = f"Token {os.environ['TOKEN']}"
role, user = "CUSTOMER.CALL_ORGANIZER", os.environ["USER_UUID"]


def upload(uuid) -> None:
    """Sends an image without the generated client, which knows JSON bodies alone."""
    with open(image, "rb") as file:
        httpx.patch(f"{url}/api/call-managing-organisations/{uuid}/", files={"image": file},
                    headers={"Authorization": authorization}).raise_for_status()
