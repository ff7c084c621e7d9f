from django.db import models
from django.db.models.functions import Now


class Post(models.Model):
    title = models.TextField()
    created = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "posts"
        indexes = [models.Index(fields=["created"], name="posts_created_idx")]
